"""Personas under `/api/v1/`, which the Talk page saves too."""

import json

import pytest
from django.test import Client

from speech.models import Persona, persona
from tests.api.conftest import client_of

PERSONAS = "/api/v1/personas/"
PIRATE = {"name": "Pirate", "instructions": "Talk like a pirate."}


def send(client, method, path, *, headers=None, **data):
    return client.generic(method, path, json.dumps(data), content_type="application/json", headers=headers or {})


def create(client, **data):
    return send(client, "POST", PERSONAS, **(PIRATE | data))


def test_personas_are_created_and_listed_by_name(client):
    created = create(client)
    assert created.status_code == 201
    assert created.json() == PIRATE | {"id": created.json()["id"], "created_at": created.json()["created_at"]}
    create(client, name="A poet")
    assert [each["name"] for each in client.get(PERSONAS).json()["results"]] == ["A poet", "Pirate"]


def test_a_persona_is_changed_and_deleted(client):
    path = f"{PERSONAS}{create(client).json()['id']}/"
    assert send(client, "PATCH", path, instructions="Sing.").json()["instructions"] == "Sing."
    assert client.get(path).json()["name"] == "Pirate"
    assert client.delete(path).status_code == 204
    assert client.get(path).json()["code"] == "not_found"


def test_a_name_is_taken_once(client):
    create(client)
    poet = create(client, name="Poet").json()["id"]
    for response in (create(client, name="PIRATE"), send(client, "PATCH", f"{PERSONAS}{poet}/", name="pirate")):
        assert response.status_code == 400
        assert response.json()["errors"] == {"name": ["You already have a persona with this name."]}


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("name", "x" * 61), ("instructions", " "), ("instructions", "x" * 4001)]
)
def test_invalid_personas_are_rejected(client, field, value):
    assert create(client, **{field: value}).json()["errors"].keys() == {field}


def test_the_number_of_personas_is_limited(client, monkeypatch):
    monkeypatch.setattr(persona, "MAX_PERSONAS", 1)
    create(client)
    response = create(client, name="Poet")
    assert (response.status_code, response.json()["code"]) == (409, "too_many_personas")


def test_a_creation_is_safe_to_retry(client):
    first, second = (create(client, headers={"Idempotency-Key": "1"}) for _ in range(2))
    assert first.json() == second.json()
    assert Persona.objects.count() == 1


def test_a_stale_change_is_rejected(client):
    path = f"{PERSONAS}{create(client).json()['id']}/"
    tag = client.get(path)["ETag"]
    send(client, "PATCH", path, name="Captain")
    assert send(client, "PATCH", path, headers={"If-Match": tag}, name="Sailor").status_code == 412


def test_personas_of_others_are_not_found(client, other):
    path = f"{PERSONAS}{create(client).json()['id']}/"
    stranger = client_of(other)
    assert stranger.get(PERSONAS).json()["count"] == 0
    assert [send(stranger, method, path, name="x").status_code for method in ("GET", "PATCH", "DELETE")] == [404] * 3


def test_a_token_needs_the_scope_for_sessions(user):
    assert create(client_of(user, "stt tts")).json()["code"] == "missing_scope"


def test_the_page_uses_the_login_of_the_browser(user):
    browser = Client(headers={"Origin": "http://testserver", "Host": "testserver"})
    browser.force_login(user)
    assert create(browser).status_code == 201
