"""Health endpoints, with working and failing dependencies."""

import pytest
from django.db import OperationalError
from django.test import Client

from inference.messages import Status
from operations.health import readiness
from speech import disk_space
from speech.gateway.workers import WorkerRegistry

UP = Status("worker", "moonshine", "Moonshine", {"en": "English"}, slots=8, free=8)
WARMING = Status("worker", "stt-1b", "Kyutai STT 1B", {"en": "English"}, slots=0, free=0, progress="loading weights")


@pytest.fixture
def engines(monkeypatch, db):
    """Running engines by kind; empty unless a test adds some."""
    running = {}

    async def get_engines(self, kind="stt"):
        return {status.engine: status for status in running.get(kind, [])}

    monkeypatch.setattr(WorkerRegistry, "engines", get_engines)
    return running


def get(path="/ready"):
    response = Client().get(path)
    return response.status_code, response.json()


def test_health_checks_no_dependency(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        status, body = get("/health")
    assert (status, body["status"], body["websocket_available"]) == (200, "healthy", True)
    assert get("/healthz")[0] == 200


def test_ready_with_a_free_engine(engines):
    engines["stt"] = [UP]
    checks = {"database": "ok", "layer": "ok", "engines": "ok", "disk": "ok"}
    assert get() == (200, {"status": "ready", "checks": checks})


def test_a_disk_that_is_nearly_full_is_a_warning(engines, monkeypatch):
    engines["stt"] = [UP]
    monkeypatch.setattr(disk_space, "available", lambda _: 0)
    status, body = get()
    assert (status, body["status"], body["checks"]["disk"]) == (200, "ready", "ok")
    assert "uploads and new recordings are refused" in body["warnings"]["disk"]


def test_not_ready_when_the_database_file_cannot_grow(engines, monkeypatch):
    engines["stt"] = [UP]
    monkeypatch.setattr(disk_space, "free", lambda _: 10_000_000)
    status, body = get()
    assert (status, body["checks"]["disk"]) == (503, "full: words can't be stored")


def test_not_ready_without_an_engine(engines):
    assert get()[0] == 503
    assert get()[1]["checks"]["engines"] == "no engine running"


def test_not_ready_while_the_model_loads(engines):
    engines["stt"] = [WARMING]
    status, body = get()
    assert status == 503
    assert body["checks"]["engines"] == "Kyutai STT 1B is starting: loading weights"


def test_not_ready_without_a_database_and_names_no_host(engines, monkeypatch):
    def fail():
        raise OperationalError("connection to db.internal failed for user speech")

    monkeypatch.setattr(readiness, "_query_database", fail)
    engines["stt"] = [UP]
    status, body = get()
    assert status == 503
    assert body["checks"]["database"] == "not responding: OperationalError"
    assert get("/health")[0] == 200


def test_not_ready_without_the_channel_layer(engines, monkeypatch):
    class Failing:
        async def group_send(self, *_):
            raise ConnectionError

    monkeypatch.setattr(readiness, "get_channel_layer", Failing)
    engines["stt"] = [UP]
    assert get()[1]["checks"]["layer"] == "not responding: ConnectionError"


def test_a_hanging_dependency_times_out(engines, monkeypatch):
    class Hanging:
        async def group_send(self, *_):
            await readiness.asyncio.Event().wait()

    monkeypatch.setattr(readiness, "get_channel_layer", Hanging)
    monkeypatch.setattr(readiness, "TIMEOUT", 0.05)
    assert get()[1]["checks"]["layer"].startswith("no response in")


def test_info_lists_the_version_and_the_models(engines):
    engines["stt"] = [UP]
    status, body = get("/info")
    assert status == 200
    assert body["models"] == [{"name": "moonshine", "kind": "stt", "label": "Moonshine", "languages": ["en"]}]
    assert {"service", "version", "build", "endpoints"} <= set(body)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_probes_accept_an_ip_address_as_host(engines, path, settings):
    settings.ALLOWED_HOSTS = ["speech.example.org", "localhost"]
    assert Client(headers={"Host": "10.0.3.7:8000"}).get(path).status_code in (200, 503)
    assert Client(headers={"Host": "10.0.3.7:8000"}).get("/").status_code == 400
