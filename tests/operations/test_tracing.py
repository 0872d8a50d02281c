"""A stream is one trace, through both processes, for whoever has a collector of OpenTelemetry."""

import json
import sys
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from inference.management.tracing import TracingUnusable, begin_tracing
from tests.support.clients.http import ask
from tests.support.clients.tokens import issue_token
from tests.support.servers.collector import collecting
from tests.support.servers.redis import Redis
from tests.support.servers.site import running_site
from tests.support.speech.checksum_audio import noise, words_of

SENTENCE = "canarysentence"


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """What a site told that heard a stream and spoke a sentence."""
    redis = Redis(tmp_path_factory.mktemp("redis"))
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "REDIS_URL": redis.url}
    with ExitStack() as stack, collecting() as collector:
        stack.callback(redis.stop)
        env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with running_site(tmp_path_factory.mktemp("traced"), 1, **env) as site:
            token = issue_token(site)
            speak(site, token)
            wish = {"model": "tones", "input": SENTENCE, "response_format": "wav"}
            assert ask(site, "/v1/audio/speech", wish, Authorization=f"Bearer {token}").status == 200
            collector.wait(lambda: len(collector.named("stream")) == len(collector.named("slot")) == 2)
        yield collector


def speak(site, token):
    url = site.url.replace("http", "ws")
    with connect(f"{url}/ws/pcm?rate=24000&token={token}", max_queue=None) as socket:
        socket.send(noise(25))
        socket.send(json.dumps({"type": "stop"}))
        while json.loads(socket.recv(timeout=30))["type"] != "done":
            pass


def of_kind(spans, kind):
    (told,) = [told for told in spans if told.about["kind"] == kind]
    return told


def test_a_stream_is_one_trace_through_both_processes(traced):
    stream = of_kind(traced.named("stream"), "stt")
    spans = [told for told in traced.told if told.span.trace_id == stream.span.trace_id]
    where = {(told.service, told.span.name) for told in spans}
    assert where >= {
        ("speech-web", "stream"),
        ("speech-web", "wait for a slot"),
        ("speech-web", "store"),
        ("speech-inference", "slot"),
        ("speech-inference", "utterance"),
    }
    slot = of_kind(traced.named("slot"), "stt")
    assert slot.span.parent_span_id == stream.span.span_id
    assert slot.about["engine"] == "checksum"
    assert slot.events[0] == "ready"
    assert "end of an utterance" in stream.events


def test_an_utterance_tells_what_the_engine_did_for_it(traced):
    slot = of_kind(traced.named("slot"), "stt")
    utterances = traced.named("utterance")
    assert {told.span.parent_span_id for told in utterances} == {slot.span.span_id}
    assert sum(told.about["words"] for told in utterances) == len(words_of(noise(25)))
    assert all(told.about["engine_seconds"] > 0 for told in utterances if told.about["steps"])


def test_of_speech_that_is_made_it_tells_when_it_began(traced):
    assert "first audio" in of_kind(traced.named("stream"), "tts").events
    assert "first audio" in of_kind(traced.named("slot"), "tts").events


def test_no_span_has_a_word_in_it(traced):
    told = b"".join(told.span.SerializeToString() for told in traced.told).decode("utf-8", "replace")
    assert [word for word in (SENTENCE, *words_of(noise(25))) if word in told] == []


def test_what_is_not_installed_is_said(monkeypatch, settings):
    settings.OTEL_ENDPOINT = "http://127.0.0.1:4318"
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingUnusable, match=r"requirements/tracing\.txt"):
        begin_tracing("web")
