"""Metrics, read by Prometheus' own parser, with all names and labels in one table."""

import json
import re
import time

import httpx
import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from inference.messages import Status
from operations.health.metrics import update_engine_gauges
from tests.support.clients.api import wav_of
from tests.support.environment import ROOT
from tests.support.speech.checksum_audio import noise

LABELS = {
    "inference_latency_seconds": {"engine"},
    "ws_close": {"code"},
    "connection_error": {"type"},
    "auth_error": {"what"},
    "warmup_duration_seconds": {"engine"},
    "warmup_success": {"engine"},
    "warmup_failure": {"engine"},
    "speech_engine_lost": {"engine"},
    "speech_stalls": {"engine", "outcome"},
    "speech_frames_behind": {"engine"},
    "speech_slot_limit": {"engine", "limit"},
    "speech_streams_open": {"kind"},
    "speech_queue_wait_seconds": {"kind"},
    "speech_first_audio_seconds": set(),
    "speech_replays": {"kind"},
    "speech_llm_requests": {"model", "outcome"},
    "speech_llm_first_token_seconds": {"model"},
    "speech_llm_tokens": {"model", "kind"},
    "speech_reply_seconds": set(),
    "speech_words": set(),
    "speech_acks": set(),
    "speech_uploads": {"outcome"},
    "speech_emails": {"outcome"},
    "speech_slots": {"engine", "state"},
    "speech_waiting": {"engine"},
    "speech_disk_free_bytes": {"folder"},
    "speech_disk_reserve_bytes": {"folder"},
}
GPU_METRICS = {"system_free_vram_bytes": {"gpu"}, "system_gpu_utilization_percent": {"gpu"}}
PROMETHEUS_METRICS = {"up", "process_resident_memory_bytes"}
NAME = re.compile(r"\b((?:speech|ws|connection|auth|warmup|inference|system|process)_[a-z_]+|up)\b(?=[\s{\[)]|$)")


@pytest.fixture(scope="module")
def families(checksum_site, checksum_token):
    headers = {"Authorization": f"Bearer {checksum_token}"}
    with httpx.Client(base_url=checksum_site.url, headers=headers, timeout=30) as http:
        files = {"file": ("speech.wav", wav_of(noise(50)))}
        http.post("/v1/audio/transcriptions", files=files, data={"model": "checksum"}).raise_for_status()
        http.get("/v1/models", headers={"Authorization": "Bearer wrong"})
        while "asr_model_step_duration" not in (exposition := http.get("/metrics").text):
            time.sleep(0.05)  # until the engine's next heartbeat
    return {family.name: family for family in text_string_to_metric_families(exposition)}


def value(families, name, **labels):
    samples = [s for family in families.values() for s in family.samples if s.name == name]
    return sum(s.value for s in samples if labels.items() <= s.labels.items())


def test_every_metric_has_its_labels_and_a_description(families):
    for name, labels in LABELS.items():
        family = families[name]
        assert family.documentation
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == labels, name


def test_events_are_counted(families):
    assert value(families, "speech_words_total") >= 10
    assert value(families, "auth_error_total", what="token") >= 1
    assert value(families, "warmup_success_total", engine="checksum") >= 1
    assert value(families, "speech_slots", engine="checksum") == 8
    assert value(families, "inference_latency_seconds_count", engine="checksum") >= 50
    assert value(families, "inference_latency_seconds_bucket", le="0.08") > 0
    assert value(families, "speech_streams_open") == 0


async def test_a_lost_engine_has_no_slots(no_engines):
    slots = [sample("lost", state) for state in ("free", "used")]
    update_engine_gauges([Status("worker", "lost", "Lost", {}, slots=4, free=1)])
    assert [value() for value in slots] == [1, 3]
    update_engine_gauges([])
    assert [value() for value in slots] == [0, 0]


def sample(engine, state):
    return lambda: REGISTRY.get_sample_value("speech_slots", {"engine": engine, "state": state})


def test_counters_start_at_zero(families):
    """Otherwise an alert on an increase would miss the first event."""
    for name in ("speech_emails_total", "warmup_failure_total", "speech_engine_lost_total", "speech_replays_total"):
        assert [s for family in families.values() for s in family.samples if s.name == name], name


def test_the_metrics_of_kyutais_servers_exist_too(families):
    assert {"asr_open_channels", "asr_model_step_duration"} <= set(families)


def known_names():
    base = LABELS | GPU_METRICS
    return PROMETHEUS_METRICS | {f"{name}{suffix}" for name in base for suffix in ("", "_total", "_bucket", "_count")}


def expressions():
    alerts = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())
    yield from (rule["expr"] for group in alerts["groups"] for rule in group["rules"])
    dashboard = json.loads((ROOT / "deploy/monitoring/grafana.json").read_text())
    yield from (target["expr"] for panel in dashboard["panels"] for target in panel["targets"])


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_dashboard_and_alerts_use_existing_metrics(expression):
    names = set(NAME.findall(expression))
    assert names
    assert names <= known_names()


def test_every_alert_has_texts_and_a_severity():
    alerts = yaml.safe_load((ROOT / "deploy/monitoring/alerts.yaml").read_text())
    for rule in alerts["groups"][0]["rules"]:
        assert {"summary", "description"} <= set(rule["annotations"]), rule["alert"]
        assert rule["labels"]["severity"] in ("warning", "critical")
