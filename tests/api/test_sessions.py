"""Sessions under `/api/v1/`."""

import json

import pytest
from asgiref.sync import async_to_sync

from speech.library.recording.recorder import Recorder
from speech.models import Session
from speech.models.conversation import ASSISTANT, USER
from tests.api.conftest import TEXT, client_of
from tests.support.speech.sessions import create_conversation


@async_to_sync
async def read(response):
    return b"".join([chunk async for chunk in response.streaming_content])


def patch(client, session, *, headers=None, **data):
    path = f"/api/v1/sessions/{session.pk}/"
    return client.patch(path, json.dumps(data), content_type="application/json", headers=headers or {})


@pytest.fixture
def session(user, make_session):
    return make_session(user)


def test_the_list_has_only_own_sessions(client, session, other, make_session):
    make_session(other)
    page = client.get("/api/v1/sessions/").json()
    assert page["count"] == 1
    assert page["results"][0]["id"] == str(session.pk)
    assert page["results"][0]["duration"] == 3.5


def test_search_finds_words_of_the_transcript(client, session, user, make_session):
    make_session(user, "something else")
    assert [found["id"] for found in client.get("/api/v1/sessions/?q=crystal").json()["results"]] == [str(session.pk)]


def test_titles_and_tags_are_found_in_any_case(client, session):
    patch(client, session, title="Die Große", tags=["ÉTÉ"])
    for query in ("q=GROSSE", "q=été", "tag=été", "q=%20"):
        assert client.get(f"/api/v1/sessions/?{query}").json()["count"] == 1
    for query in ("q=grösser", "tag=ete"):
        assert client.get(f"/api/v1/sessions/?{query}").json()["count"] == 0


def test_a_search_that_is_too_long_is_rejected(client):
    response = client.get("/api/v1/sessions/", {"q": "x" * 1_001})
    assert response.status_code == 400
    assert "the limit is 1000" in response.json()["errors"]["q"][0]


def test_the_list_is_paginated(client, user, make_session):
    for _ in range(3):
        make_session(user)
    first = client.get("/api/v1/sessions/?per_page=2").json()
    assert (len(first["results"]), first["count"]) == (2, 3)
    assert len(client.get(first["next"]).json()["results"]) == 1
    assert client.get("/api/v1/sessions/?page=9").json()["code"] == "not_found"


def test_a_session_is_renamed_and_tagged(client, session):
    patched = patch(client, session, title="The ball", tags=["magic", "glass"]).json()
    assert (patched["title"], sorted(patched["tags"])) == ("The ball", ["glass", "magic"])
    assert client.get("/api/v1/sessions/?tag=magic").json()["count"] == 1
    assert patch(client, session, title="x" * 300).json()["errors"].keys() == {"title"}


def test_words_and_exports(client, session):
    words = client.get(f"/api/v1/sessions/{session.pk}/words/").json()["results"]
    assert [word["text"] for word in words] == TEXT.split()
    assert words[1]["start"] == 0.5
    srt = client.get(f"/api/v1/sessions/{session.pk}/transcript.srt")
    assert TEXT in read(srt).decode().replace("\n", " ")
    assert client.get(f"/api/v1/sessions/{session.pk}/transcript.exe").status_code == 404


def test_delete_moves_a_session_to_the_trash(client, session):
    assert client.delete(f"/api/v1/sessions/{session.pk}/").status_code == 204
    assert client.get("/api/v1/sessions/").json()["count"] == 0
    assert Session.objects.get(pk=session.pk).deleted_at


def test_a_session_in_progress_cannot_be_deleted(client, session):
    Session.objects.filter(pk=session.pk).update(ended_at=None)
    response = client.delete(f"/api/v1/sessions/{session.pk}/")
    assert (response.status_code, response.json()["code"]) == (409, "still_live")


@pytest.mark.parametrize("path", ["", "words/", "transcript.srt"])
def test_sessions_of_others_are_not_found(session, other, path):
    response = client_of(other).get(f"/api/v1/sessions/{session.pk}/{path}")
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "not_found"


def test_a_matching_etag_returns_304(client, session):
    path = f"/api/v1/sessions/{session.pk}/"
    tag = client.get(path)["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_stale_if_match_returns_412(client, session):
    tag = client.get(f"/api/v1/sessions/{session.pk}/")["ETag"]
    changed = patch(client, session, headers={"If-Match": tag}, title="First")
    assert changed.status_code == 200
    late = patch(client, session, headers={"If-Match": tag}, title="Second")
    assert (late.status_code, late.json()["code"]) == (412, "changed_meanwhile")
    assert patch(client, session, headers={"If-Match": changed["ETag"]}, title="Third").status_code == 200


def test_a_token_without_the_scope_is_rejected(session, user):
    response = client_of(user, "stt").get("/api/v1/sessions/")
    assert (response.status_code, response.json()["code"]) == (403, "missing_scope")


def test_anonymous_requests_get_401_with_a_bearer_challenge(db, settings):
    from django.test import Client

    response = Client().get("/api/v1/sessions/")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/problem+json"


def test_audio_is_served_whole_and_by_range(client, session, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    path = f"/api/v1/sessions/{session.pk}/audio.wav"
    assert client.get(path).json()["code"] == "not_found"
    Recorder(session.pk, session.epoch, 0, None).append(0, bytes(2 * 24_000))
    whole = client.get(path)
    assert (whole["Content-Type"], len(read(whole))) == ("audio/wav", 44 + 2 * 24_000)
    part = client.get(path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    assert client.get(f"/api/v1/sessions/{session.pk}/audio.flac").status_code == 404


def test_a_conversation_has_its_model_voice_and_usage(client, session, user):
    talk = create_conversation(user, (USER, 0.0, "good morning"), (ASSISTANT, 2.0, "Hello!"))
    talk.conversation.add_usage(prompt_tokens=90, completion_tokens=10, played_samples=36_000, turns=1)
    results = client.get("/api/v1/sessions/").json()["results"]
    assert {each["id"]: each["conversation"] for each in results} == {
        str(session.pk): None,
        str(talk.pk): {
            "model": "demo",
            "voice": "amy",
            "replies": 1,
            "prompt_tokens": 90,
            "completion_tokens": 10,
            "played_seconds": 1.5,
        },
    }
