"""The protocol of the server of whisper.cpp."""

import json

import httpx
import pytest

from speech.batch.transcription import Transcription
from speech.dialects.self_hosted.whisper_cpp import _response
from speech.events import Word
from tests.support.clients.api import wav_of
from tests.support.speech.checksum_audio import noise, words_of

PCM = noise(31)
WORDS = words_of(PCM)
FILE = {"file": ("speech.wav", wav_of(PCM), "audio/wav")}
LINES = f" {' '.join(WORDS[:5])}\n {' '.join(WORDS[5:])}\n"


@pytest.fixture
def post(site, token):
    """Function that posts a recording, or something else."""

    def post(files=FILE, query="", **data):
        return httpx.post(f"{site.url}/inference?token={token}{query}", files=files, data=data, timeout=60)

    return post


def test_a_recording_is_transcribed_to_a_line_for_each_segment(post):
    answer = post(temperature="0.0", temperature_inc="0.2", translate="false", offset_t="0", language="auto")
    assert (answer.status_code, answer.json()) == (200, {"text": LINES})


def test_parameters_can_be_in_the_query(post):
    answer = post(query="&response_format=text&language=en")
    assert (answer.headers["Content-Type"], answer.text) == ("text/plain; charset=utf-8", LINES)
    assert post(query="&language=xx").status_code == 400


def test_an_engine_that_can_translates(post):
    body = post(translate="true", response_format="verbose_json").json()
    assert (body["task"], body["text"].split()) == ("translate", [f"english-{word}" for word in WORDS])


TRANSCRIPT = Transcription(
    [Word(index, index // 5, text, index * 0.4, index * 0.4 + 0.4, 0.5) for index, text in enumerate(WORDS)],
    language="en",
    duration=2.48,
)


def written(**parameters):
    response = _response(TRANSCRIPT, parameters)
    return response.headers["Content-Type"], response.content.decode()


def test_subtitles():
    content_type, srt = written(response_format="srt")
    assert content_type.startswith("application/x-subrip")
    assert srt.startswith("1\n00:00:00,000 --> ")
    content_type, vtt = written(response_format="vtt")
    assert content_type.startswith("text/vtt")
    assert vtt.startswith("WEBVTT")


def test_verbose_json_has_segments_and_words():
    body = json.loads(written(response_format="verbose_json")[1])
    assert (body["task"], body["language"], body["duration"]) == ("transcribe", "english", 2.48)
    assert body["text"] == LINES
    first = body["segments"][0]
    assert (first["id"], first["text"], first["start"], first["end"]) == (0, f" {' '.join(WORDS[:5])}", 0.0, 2.0)
    assert (first["words"][1], first["avg_logprob"]) == (
        {"word": f" {WORDS[1]}", "start": 0.4, "end": 0.8, "probability": 0.5},
        -0.6931,
    )


def test_times_can_be_left_out():
    first = json.loads(written(response_format="verbose_json", no_timestamps="true")[1])["segments"][0]
    assert "start" not in first
    assert first["words"][0].keys() == {"word", "probability"}


def test_the_token_can_be_the_password_in_the_url(site, token):
    """Some clients replace the query."""
    answer = httpx.post(f"{site.url.replace('://', f'://token:{token}@')}/inference", files=FILE, timeout=60)
    assert answer.json() == {"text": LINES}


@pytest.mark.parametrize("refused", ["diarize=1", "offset_t=1000", "duration=500", "offset_n=3"])
def test_what_is_not_supported_is_refused(post, refused):
    answer = post(**dict([refused.split("=")]))
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"“{refused.partition('=')[0]}” isn't supported.")


@pytest.mark.parametrize(
    ("files", "status", "text"),
    [
        ({"other": b"x"}, 400, "no 'file' field in the request"),
        ({"file": b"no audio"}, 400, "The file isn't a recording."),
    ],
)
def test_errors_are_json(post, files, status, text):
    answer = post(files)
    assert (answer.status_code, answer.json().keys()) == (status, {"error"})
    assert text in answer.json()["error"]


def test_a_token_is_required(site):
    answer = httpx.post(f"{site.url}/inference", files=FILE)
    assert (answer.status_code, answer.json().keys()) == (401, {"error"})
