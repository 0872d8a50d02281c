"""Kyutai's endpoints without a socket."""

import pytest
from django.test import Client

from speech.dialects.kyutai import metrics
from tests.inference.speech_like import noise
from tests.support.api import wav_of
from tests.support.http import ask
from tests.support.tokens import issue_token

GIT = [f"git_{name}" for name in ("branch", "timestamp", "date", "hash", "describe")]
RUST = ["rustc_host_triple", "rustc_version", "cargo_target_triple"]
BUILD_INFO = ["build_timestamp", "build_date", *GIT, *RUST]


@pytest.fixture
def site(checksum_site):
    return checksum_site


def test_what_is_no_file_of_audio_is_refused_in_words(site):
    token = issue_token(site)
    answer = ask(site, "/api/asr-streaming", b"nonsense", kyutai_api_key=token)
    assert answer.status == 500
    assert "could not be read as sound" in answer.body.decode()
    assert ask(site, "/api/asr-streaming", wav_of(noise(1)), kyutai_api_key="wrong").status == 401
    assert ask(site, "/api/asr-streaming", kyutai_api_key=token).status == 400


def test_the_build_is_told_in_their_words(client: Client):
    told = client.get("/api/build_info?whatever=1").json()
    assert list(told) == BUILD_INFO
    assert all(isinstance(value, str) for value in told.values())


def test_a_voice_cannot_be_cloned_and_it_is_said_why(client: Client):
    answer = client.post("/api/voice", b"audio", content_type="application/octet-stream")
    assert answer.status_code == 501
    assert "makes no voice" in answer.content.decode()


def test_a_histogram_counts_what_lies_at_and_below_each_bound():
    histogram = metrics.Histogram("steps", (2, 25))
    assert list(histogram.lines()) == []
    for value in (2, 3, 100):
        histogram.observe(value)
    assert list(histogram.lines()) == [
        "# TYPE steps histogram",
        'steps_bucket{le="2"} 1',
        'steps_bucket{le="25"} 2',
        'steps_bucket{le="+Inf"} 3',
        "steps_sum 105",
        "steps_count 3",
    ]
