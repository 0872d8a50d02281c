"""Subtitles as other programs read them: pysubs2, ffmpeg, and the W3C's WebVTT webvtt_validator."""

import json
import subprocess
from itertools import pairwise

import pysubs2
import pytest

from speech.library.exports.formats.captions import captions
from speech.text.timecode import milliseconds
from tests.speech.library.exports.transcripts import EMOJI, MARKUP, RIGHT_TO_LEFT, conversation, hour, spoken, write
from tests.support import webvtt_validator
from tests.support.servers import programs


def beyond_an_hour():
    """A sentence every minute, and one that begins in the first hour and ends in the second."""
    return [*hour()[:-1:9], spoken("until the clock strikes one", 3599.2)]


TALKS = {"conversation": conversation, "hour": beyond_an_hour, "empty": list}
HUNDREDTH = 10  # milliseconds; the resolution of .ass


@pytest.fixture(params=TALKS.values(), ids=TALKS)
def talk(request):
    return request.param()


def times(talk):
    return [(milliseconds(caption.start), milliseconds(caption.end)) for caption in captions(talk, named=False)]


def on_one_line(text):
    return " ".join(text.split())


def ffmpeg_reads(file, extension):
    """(start, end) in milliseconds of the subtitles that ffmpeg finds in a file."""
    probe = programs.ffmpeg().replace("ffmpeg", "ffprobe")
    command = [probe, "-v", "error", "-f", extension, "-show_entries", "packet=pts_time,duration_time", "-of", "json"]
    done = subprocess.run([*command, "-i", "-"], input=file, capture_output=True)
    assert not done.stderr, done.stderr
    packets = json.loads(done.stdout)["packets"]
    starts = [round(1000 * float(packet["pts_time"])) for packet in packets]
    return [(start, start + round(1000 * float(p["duration_time"]))) for start, p in zip(starts, packets, strict=True)]


@pytest.mark.parametrize("extension", ["srt", "vtt"])
def test_pysubs2_reads_the_times_to_the_millisecond(talk, extension):
    file = write(extension, talk, speakers=False).decode()
    read = pysubs2.SSAFile.from_string(file, format_=extension)
    assert [(event.start, event.end) for event in read] == times(talk)


@pytest.mark.parametrize(("extension", "demuxer"), [("srt", "srt"), ("vtt", "webvtt")])
@pytest.mark.parametrize("name", ["conversation", "hour"])
def test_ffmpeg_reads_the_times_to_the_millisecond(name, extension, demuxer):
    talk = TALKS[name]()
    assert ffmpeg_reads(write(extension, talk, speakers=False), demuxer) == times(talk)


def test_ffmpeg_reads_styled_subtitles_to_the_hundredth():
    talk = conversation()
    read = ffmpeg_reads(write("ass", talk, words=True, speakers=False), "ass")
    for actual, expected in zip(read, times(talk), strict=True):
        assert actual == pytest.approx(expected, abs=HUNDREDTH)


@pytest.mark.parametrize("words", [False, True], ids=["plain", "words"])
def test_webvtt_is_valid(talk, words):
    parsed = webvtt_validator.parse(write("vtt", talk, words=words))
    assert parsed.errors == []
    assert [(round(1000 * cue["startTime"]), round(1000 * cue["endTime"])) for cue in parsed.cues] == times(talk)


def test_the_validator_reports_errors():
    assert webvtt_validator.parse(b"WEBVTT\n\n00:02.000 --> 00:01.000\n<c>unclosed\n").errors


def test_words_are_highlighted_when_they_are_spoken():
    talk = [spoken("one two three", 1.0)]
    assert b"one <00:00:01.400>two <00:00:01.800>three" in write("vtt", talk, words=True)
    assert rb"{\kf40}one {\kf40}two {\kf" in write("ass", talk, words=True)


@pytest.mark.parametrize("text", [EMOJI, RIGHT_TO_LEFT])
@pytest.mark.parametrize("extension", ["srt", "vtt", "ass"])
def test_every_script_is_preserved(text, extension):
    read = pysubs2.SSAFile.from_string(write(extension, [spoken(text)]).decode(), format_=extension)
    assert on_one_line(" ".join(event.plaintext for event in read)) == text


def test_markup_in_speech_is_escaped():
    parsed = webvtt_validator.parse(write("vtt", [spoken(MARKUP)]))

    def text_of(node):
        return node["value"] if "value" in node else "".join(map(text_of, node.get("children", [])))

    assert on_one_line(" ".join(text_of(cue["tree"]) for cue in parsed.cues)).replace("\u2060", "") == MARKUP
    srt = write("srt", [spoken(MARKUP)]).decode()
    assert on_one_line(" ".join(line for line in srt.splitlines() if not line[:1].isdigit())) == (
        "<\u2060b>bold<\u2060/b> & ｛\\\u2060an8｝ *stars* `code` [link](x) # | \\\u2060N --\u2060> =1+1"
    )


def test_speakers_are_named():
    vtt, srt, ass = (write(extension, conversation()).decode() for extension in ("vtt", "srt", "ass"))
    assert "<v Ada>Good morning" in vtt
    assert "Ada: Good morning" in srt
    read = pysubs2.SSAFile.from_string(ass)
    assert read[0].name == "Ada"
    assert read[-1].name == "Eve  the {third}"
    assert "Ada" not in write("vtt", conversation(), speakers=False).decode()


def test_captions_do_not_overlap(talk):
    for one, next_one in pairwise(pysubs2.SSAFile.from_string(write("srt", talk).decode(), format_="srt")):
        assert one.end <= next_one.start
