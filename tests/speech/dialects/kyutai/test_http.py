"""Kyutai's HTTP routes."""

import asyncio
import inspect
import re

import pytest
from django.test import Client

from speech import events
from speech.dialects.kyutai import metrics, tts_http
from speech.errors import ProtocolError
from tests.support.clients.api import wav_of
from tests.support.clients.http import request
from tests.support.clients.kyutai import asr_streaming
from tests.support.clients.tokens import issue_token
from tests.support.speech.checksum_audio import noise, words_of

GIT = [f"git_{name}" for name in ("branch", "timestamp", "date", "hash", "describe")]
RUST = ["rustc_host_triple", "rustc_version", "cargo_target_triple"]
BUILD_INFO = ["build_timestamp", "build_date", *GIT, *RUST]


def test_a_file_without_audio_is_refused_with_an_explanation(site):
    token = issue_token(site)
    response = request(site, "/api/asr-streaming", b"nonsense", kyutai_api_key=token)
    assert response.status == 500
    assert "It is a text file." in response.body.decode()
    assert request(site, "/api/asr-streaming", wav_of(noise(1)), kyutai_api_key="wrong").status == 401
    assert request(site, "/api/asr-streaming", kyutai_api_key=token).status == 400


async def test_speech_that_is_too_long_to_be_returned_as_a_whole_is_rejected(rf, monkeypatch):
    async def speech(caller, text, options):
        for _ in range(4):
            yield events.Audio(bytes(60))

    async def any_voice(name):
        return name

    monkeypatch.setattr(tts_http, "synthesis_events", speech)
    monkeypatch.setattr(tts_http, "resolve_voice", any_voice)
    monkeypatch.setattr(tts_http, "MAX_WHOLE", 240)
    speak = inspect.unwrap(tts_http.speak_whole)
    body = {"text": ["One.", "Two."], "voice": "any"}
    request = rf.post("/api/tts", body, content_type="application/json")
    with pytest.raises(ProtocolError, match="The speech is too long"):
        await speak(request, None)
    request = rf.post("/api/tts", {**body, "text": ["One."]}, content_type="application/json")
    assert len((await speak(request, None)).content) == 44 + 240


def test_build_info_has_the_fields_of_moshi_server(client: Client):
    info = client.get("/api/build_info?unknown=1").json()
    assert list(info) == BUILD_INFO
    assert all(isinstance(value, str) for value in info.values())


def test_voice_cloning_is_refused_with_an_explanation(client: Client):
    response = client.post("/api/voice", b"audio", content_type="application/octet-stream")
    assert response.status_code == 501
    assert "can't create a voice" in response.content.decode()


def test_a_histogram_counts_values_up_to_each_bound():
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


@pytest.mark.slow
async def test_a_file_is_transcribed_and_metrics_count_it(start_site):
    site = start_site(STT_ENGINE="checksum")  # whose metrics count nothing else
    token, pcm = issue_token(site), noise(1_000)
    response = await asyncio.to_thread(request, site, "/api/asr-streaming", wav_of(pcm), kyutai_api_key=token)
    assert response.status == 200
    assert [item["text"] for item in response.json if item["type"] == "Word"] == words_of(pcm)
    assert response.json[:2] == [
        {"type": "Word", "text": words_of(pcm)[0], "start_time": 0.0},
        {"type": "EndWord", "stop_time": 0.4},
    ]
    async with asr_streaming(site, token) as socket:
        await socket.send_audio(noise(30))
        await socket.until("Word")
        modules = (await asyncio.to_thread(request, site, "/api/modules_info")).json
        assert {**modules[0], "used_slots": "?"} == {
            "type": "batched_asr",
            "path": "/api/asr-streaming",
            "lm": "checksum",
            "audio_tokenizer": "",
            "used_slots": "?",
            "total_slots": "2",
        }
    while "asr_connection_num_steps" not in (exported := request(site, "/metrics")).body.decode():
        await asyncio.sleep(0.1)
    assert exported.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert '\nasr_connect{handler="all"} 1\n' in exported.body.decode()
    assert 'asr_connection_num_steps_bucket{le="125"} 1' in exported.body.decode()
    assert '\nasr_open_channels{handler="all"} ' in exported.body.decode()
    steps = re.findall(r'asr_model_step_duration_bucket\{le="(.+)"\} (\d+)', exported.body.decode())
    assert [bound for bound, _ in steps] == ["0.02", "0.03", "0.04", "0.05", "0.06", "0.07", "0.08", "+Inf"]
    assert int(steps[-1][1]) >= 30  # one for each frame
