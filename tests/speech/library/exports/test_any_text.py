"""Every format preserves any text, and times up to 100 hours, as other programs read it.

Two formats need invisible or full-width characters where programs would interpret a text (`formats/srt.py`); `visible`
removes the difference.
"""

import csv
import io
import json
import re
import subprocess
import unicodedata

import docx
import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from speech.library.exports import FORMATS
from speech.library.exports.document import one_line
from speech.library.exports.formats.captions import captions
from speech.models import TimedWord
from speech.text.timecode import clock, milliseconds
from tests.speech.library.exports.transcripts import Segment, spoken, write
from tests.support import webvtt_validator
from tests.support.servers import programs

LAST = 100 * 3600 - 60
AWKWARD = [
    *(
        "<i>italic</i>",
        "<b",
        "</font>",
        "a<b>c",
        "{\\an8}",
        "{x}",
        "{",
        "}",
        "\\N",
        "\\h",
        "\\",
        "&lt;",
        "&",
        "-->",
        "--",
        "->",
    ),
    *(
        "00:00:01,000",
        "-->",
        "00:00:02,500",
        "1:02:03.4",
        "42",
        "7",
        "#",
        "# no",
        "1.",
        "10)",
        "-",
        "+",
        "*",
        "**b**",
        "_",
    ),
    *(
        "`",
        "~~~",
        "---",
        "===",
        "[x](y)",
        "![x](y)",
        "=1+1",
        "@SUM(A1)",
        ";-1",
        "|",
        '"',
        "'",
        "$x$",
        "::",
        "www.example.org",
    ),
    *(
        "a@example.org",
        "<https://example.org>",
        "a\nb",
        "a\r\nb",
        " ",
        "\n",
        "\u2028",
        "\x00",
        "\x1b[31m",
        "\ufeff",
        "\ufffe",
    ),
    *(
        "WEBVTT",
        "NOTE",
        "STYLE",
        "Dialogue:",
        "[Events]",
        "今日",
        "は",
        "。",
        "สวัสดี ",
        "ที่",
        "한글",
        "שלום",
        "👍🏽",
        "ﬁ",
        "é",
    ),
    *("x" * 90, "日" * 50),
]
TEXTS = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6))


@st.composite
def transcripts(draw: st.DrawFn) -> list[Segment]:
    """Segments in order, whose words may take no or negative time."""
    start = draw(st.sampled_from([0.0, 3599.5, 9.99 * 3600, 36_000.0, LAST])) + draw(st.floats(0, 30))
    segments = []
    for texts in draw(st.lists(st.lists(TEXTS, min_size=1, max_size=8), max_size=3)):
        words, at = [], start
        for text in texts:
            at += draw(st.sampled_from([0.0, 0.3, -0.2, 1.5]))
            words.append(
                TimedWord(text, *draw(st.sampled_from([(at, at + 0.25), (at, at), (at, at - 0.1), (None, None)])), None)
            )
        segments.append(Segment(words, start, max(start, at), draw(st.sampled_from(["", "Ada", *AWKWARD]))))
        start = max(start, at)
    return segments


def visible(text):
    """The characters of a text, in their usual form."""
    text = unicodedata.normalize("NFKC", re.sub("[\u2060\ufeff]", "", one_line(text)))
    return re.sub(r"\s", "", text)


def texts_of(transcript):
    return [visible(segment.text) for segment in transcript if one_line(segment.text)]


def shown(transcript):
    """The captions that subtitles should have."""
    return [(milliseconds(one.start), milliseconds(one.end), visible(one.text)) for one in captions(transcript)]


def close(read, expected, resolution=0):
    assert [text for *_, text in read] == [text for *_, text in expected]
    for (start, end, _), (expected_start, expected_end, _) in zip(read, expected, strict=True):
        assert abs(start - expected_start) <= resolution
        assert abs(end - expected_end) <= resolution


anything = settings(max_examples=40, deadline=None)
few = settings(max_examples=8, deadline=None)


@anything
@given(transcripts())
@pytest.mark.parametrize("words", [False, True], ids=["plain", "words"])
@pytest.mark.parametrize(("extension", "resolution"), [("srt", 0), ("ass", 5)])
def test_subtitles(extension, resolution, words, transcript):
    file = write(extension, transcript, words=words, speakers=False).decode()
    read = pysubs2.SSAFile.from_string(file, format_=extension)
    close([(event.start, event.end, visible(event.plaintext)) for event in read], shown(transcript), resolution)


@few
@given(transcripts())
@pytest.mark.parametrize("words", [False, True], ids=["plain", "words"])
def test_web_subtitles(words, transcript):
    parsed = webvtt_validator.parse(write("vtt", transcript, words=words, speakers=False))
    assert parsed.errors == []

    def text_of(node):
        return node["value"] if node.get("type") == "text" else "".join(map(text_of, node.get("children", [])))

    read = [
        (round(1000 * c["startTime"]), round(1000 * c["endTime"]), visible(text_of(c["tree"]))) for c in parsed.cues
    ]
    close(read, shown(transcript))


@anything
@given(transcripts())
def test_plain_text(transcript):
    title, empty, *lines, last = write("txt", transcript).decode().split("\n")
    assert (title, empty, last) == ("A talk", "", "")
    assert [visible(line) for line in lines] == [visible(_line(segment)) for segment in transcript]


def _line(segment):
    speaker = one_line(segment.speaker)
    return f"[{clock(segment.start)}] {speaker}{': ' * bool(speaker)}{segment.text}"


@anything
@given(transcripts())
def test_markdown(transcript):
    tokens = MarkdownIt("commonmark").parse(write("md", transcript, times=False, speakers=False).decode())
    assert {token.type for token in tokens} <= {
        "heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline"
    }  # fmt: skip
    inline = [token for token in tokens if token.type == "inline"]
    assert all(child.type in ("text", "text_special") for token in inline for child in token.children)
    read = ["".join(child.content for child in token.children) for token in inline]
    assert [visible(text) for text in read[1:]] == texts_of(transcript)


@few
@given(transcripts())
def test_word_document(transcript):
    file = docx.Document(io.BytesIO(write("docx", transcript, times=False, speakers=False)))
    read = [visible(paragraph.text) for paragraph in file.paragraphs[1:]]
    assert [text for text in read if text] == [
        text for text in (_in_xml(text) for text in texts_of(transcript)) if text
    ]


def _in_xml(text):
    return re.sub("[\ufffe\uffff]", "", text)


@anything
@given(transcripts())
def test_spreadsheet(transcript):
    rows = list(csv.DictReader(io.StringIO(write("csv", transcript).decode("utf-8-sig"))))
    assert [visible(row["text"]).replace("'", "") for row in rows] == [
        visible(segment.text).replace("'", "") for segment in transcript
    ]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    for row, segment in zip(rows, transcript, strict=True):
        assert float(row["start"]) == pytest.approx(segment.start, abs=0.001)
        assert float(row["end"]) == pytest.approx(segment.end, abs=0.001)


@anything
@given(transcripts())
def test_json(transcript):
    read = json.loads(write("json", transcript))["segments"]
    words = [[[word["text"], word["start"], word["end"]] for word in segment["words"]] for segment in read]
    assert words == [[[*word[:3]] for word in segment.words] for segment in transcript]


@pytest.mark.parametrize("extension", FORMATS)
def test_a_word_of_spaces_and_one_without_duration_are_no_error(extension):
    words = [TimedWord(" ", 1, 1, 0.5), TimedWord("said", 2, 1, 0.5), TimedWord("\n", None, None, None)]
    for chosen in (words, words[:1], words[2:]):
        for options in ({}, {"words": True}):
            assert write(extension, [Segment(chosen, 1, 1)], **options) is not None


@pytest.mark.parametrize("extension", ["srt", "vtt", "ass"])
def test_ffmpeg_shows_the_text_of_every_awkward_word(extension):
    text = " ".join(word for word in AWKWARD if "\x1b" not in word)
    file = write(extension, [spoken(text, start=11 * 3600)])
    command = [
        programs.ffmpeg(),
        "-v",
        "error",
        "-f",
        {"vtt": "webvtt"}.get(extension, extension),
        "-i",
        "-",
        "-f",
        "ass",
        "-",
    ]
    done = subprocess.run(command, input=file, capture_output=True)
    lines = [line.split(",", 9)[-1] for line in done.stdout.decode().splitlines() if line.startswith("Dialogue:")]
    text_read = visible("".join(lines).replace(r"\N", " ").replace(r"\{", "{").replace(r"\}", "}"))
    assert text_read == visible(text)
