"""A stream is one trace across the web process and the inference process."""

import json
import sys
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

from inference.management.tracing import TracingUnusable, start_tracing
from tests.support.clients.http import request
from tests.support.clients.tokens import issue_token
from tests.support.servers.collector import running_collector
from tests.support.servers.redis import Redis
from tests.support.servers.site import running_site
from tests.support.speech.checksum_audio import noise, words_of

SENTENCE = "canarysentence"


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """The spans of a site that transcribed a stream and spoke a sentence."""
    redis = Redis(tmp_path_factory.mktemp("redis"))
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "REDIS_URL": redis.url}
    with ExitStack() as stack, running_collector() as collector:
        stack.callback(redis.stop)
        env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        with running_site(tmp_path_factory.mktemp("traced"), 1, **env) as site:
            token = issue_token(site)
            transcribe(site, token)
            body = {"model": "tones", "input": SENTENCE, "response_format": "wav"}
            assert request(site, "/v1/audio/speech", body, Authorization=f"Bearer {token}").status == 200
            collector.wait(lambda: len(collector.named("stream")) == len(collector.named("slot")) == 2)
        yield collector


def transcribe(site, token):
    url = site.url.replace("http", "ws")
    with connect(f"{url}/ws/pcm?rate=24000&token={token}", max_queue=None) as socket:
        socket.send(noise(25))
        socket.send(json.dumps({"type": "stop"}))
        while json.loads(socket.recv(timeout=30))["type"] != "done":
            pass


def of_kind(spans, kind):
    (span,) = [span for span in spans if span.attributes["kind"] == kind]
    return span


def test_a_stream_is_one_trace_through_both_processes(traced):
    stream = of_kind(traced.named("stream"), "stt")
    names = {(each.service, each.span.name) for each in traced.spans if each.span.trace_id == stream.span.trace_id}
    assert names >= {
        ("speech-web", "stream"),
        ("speech-web", "wait for a slot"),
        ("speech-web", "store"),
        ("speech-inference", "slot"),
        ("speech-inference", "segment"),
    }
    slot = of_kind(traced.named("slot"), "stt")
    assert slot.span.parent_span_id == stream.span.span_id
    assert slot.attributes["engine"] == "checksum"
    assert slot.events[0] == "ready"
    assert "endpoint" in stream.events


def test_a_segment_span_has_the_words_and_steps_of_the_engine(traced):
    slot = of_kind(traced.named("slot"), "stt")
    segments = traced.named("segment")
    assert {segment.span.parent_span_id for segment in segments} == {slot.span.span_id}
    assert sum(segment.attributes["words"] for segment in segments) == len(words_of(noise(25)))
    assert all(segment.attributes["engine_seconds"] > 0 for segment in segments if segment.attributes["steps"])


def test_synthesis_spans_have_the_first_audio(traced):
    assert "first audio" in of_kind(traced.named("stream"), "tts").events
    assert "first audio" in of_kind(traced.named("slot"), "tts").events


def test_spans_contain_no_words(traced):
    text = b"".join(each.span.SerializeToString() for each in traced.spans).decode("utf-8", "replace")
    assert [word for word in (SENTENCE, *words_of(noise(25))) if word in text] == []


def test_missing_packages_are_reported(monkeypatch, settings):
    settings.OTEL_ENDPOINT = "http://127.0.0.1:4318"
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(TracingUnusable, match=r"requirements/locked/tracing\.txt"):
        start_tracing("web")
