"""What load balancers and containers are told, whatever is away."""

import pytest
from django.db import OperationalError
from django.test import Client

from inference.messages import Status
from operations.health import readiness
from speech.gateway.link import Link

UP = Status("worker", "moonshine", "Moonshine", {"en": "English"}, slots=8, free=8)
WARMING = Status("worker", "stt-1b", "Kyutai STT 1B", {"en": "English"}, slots=0, free=0, progress="loading weights")


@pytest.fixture
def engines(monkeypatch, db):
    """The engines that are there: none, unless a test says which."""
    known = {}

    async def there(self, kind="stt"):
        return {status.engine: status for status in known.get(kind, [])}

    monkeypatch.setattr(Link, "engines", there)
    return known


def ask(path="/ready"):
    response = Client().get(path)
    return response.status_code, response.json()


def test_health_asks_nobody_else(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        status, told = ask("/health")
    assert (status, told["status"], told["websocket_available"]) == (200, "healthy", True)
    assert ask("/healthz")[0] == 200


def test_ready_is_who_takes_a_stream(engines):
    engines["stt"] = [UP]
    assert ask() == (200, {"status": "ready", "checks": {"database": "ok", "layer": "ok", "engines": "ok"}})


def test_without_a_worker_it_is_not(engines):
    assert ask()[0] == 503
    assert ask()[1]["checks"]["engines"] == "none is there"


def test_while_the_model_warms_up_it_is_not_and_says_what_it_does(engines):
    engines["stt"] = [WARMING]
    status, told = ask()
    assert status == 503
    assert told["checks"]["engines"] == "Kyutai STT 1B is starting: loading weights"


def test_without_a_database_it_is_not_and_names_no_host(engines, monkeypatch):
    def away():
        raise OperationalError("connection to db.internal failed for user speech")

    monkeypatch.setattr(readiness, "_ask_database", away)
    engines["stt"] = [UP]
    status, told = ask()
    assert status == 503
    assert told["checks"]["database"] == "does not answer: OperationalError"
    assert ask("/health")[0] == 200


def test_without_the_layer_it_is_not(engines, monkeypatch):
    class Away:
        async def group_send(self, *_):
            raise ConnectionError

    monkeypatch.setattr(readiness, "get_channel_layer", Away)
    engines["stt"] = [UP]
    assert ask()[1]["checks"]["layer"] == "does not answer: ConnectionError"


def test_a_part_that_hangs_is_waited_for_and_not_for_ever(engines, monkeypatch):
    class Hanging:
        async def group_send(self, *_):
            await readiness.asyncio.Event().wait()

    monkeypatch.setattr(readiness, "get_channel_layer", Hanging)
    monkeypatch.setattr(readiness, "TIMEOUT", 0.05)
    assert ask()[1]["checks"]["layer"].startswith("gave no answer in")


def test_info_says_what_it_is(engines):
    engines["stt"] = [UP]
    status, told = ask("/info")
    assert status == 200
    assert told["models"] == [{"name": "moonshine", "kind": "stt", "label": "Moonshine", "languages": ["en"]}]
    assert {"service", "version", "build", "endpoints"} <= set(told)


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_they_are_asked_by_the_address_of_the_machine(engines, path, settings):
    settings.ALLOWED_HOSTS = ["speech.example.org", "localhost"]
    assert Client(headers={"Host": "10.0.3.7:8000"}).get(path).status_code in (200, 503)
    assert Client(headers={"Host": "10.0.3.7:8000"}).get("/").status_code == 400
