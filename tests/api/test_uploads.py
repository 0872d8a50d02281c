"""Files under `/api/v1/uploads/` on their way; how they are transcribed is told by `tests/speech/uploads`."""

import json

import pytest

from speech.models import Upload
from tests.api.conftest import client_of

UPLOADS = "/api/v1/uploads/"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def announce(client, *, key="", **wishes):
    headers = {"Idempotency-Key": key} if key else {}
    told = {"name": "talk.mp3", "size": 10, **wishes}
    return client.post(UPLOADS, json.dumps(told), content_type="application/json", headers=headers)


def send(client, upload, offset, data):
    path = f"{UPLOADS}{upload['id']}/content/?offset={offset}"
    return client.put(path, data, content_type="application/octet-stream")


@pytest.fixture
def upload(client):
    return announce(client).json()


def test_a_file_is_announced_and_sent_in_pieces(client, upload):
    assert (upload["state"], upload["received"], upload["session"]) == ("sending", 0, None)
    assert send(client, upload, 0, b"01234").json()["received"] == 5
    assert send(client, upload, 5, b"56789").json()["state"] == "waiting"
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["received"] == 10
    assert [told["id"] for told in client.get(UPLOADS).json()["results"]] == [upload["id"]]


def test_bytes_that_do_not_follow_are_not_taken(client, upload):
    told = send(client, upload, 3, b"34")
    assert (told.status_code, told.json()["code"]) == (409, "other_bytes_follow")
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["received"] == 0


@pytest.mark.parametrize(("size", "title"), [(0, "The file is empty."), (10**12, "The file is too large.")])
def test_what_is_not_taken_is_said_as_a_problem(client, size, title):
    told = announce(client, size=size)
    assert (told.status_code, told["Content-Type"]) == (400, "application/problem+json")
    assert (told.json()["title"], told.json()["code"]) == (title, "refused")


def test_a_piece_that_is_too_large_is_refused(client, upload):
    told = send(client, upload, 0, bytes(9_000_000))
    assert (told.status_code, told.json()["title"]) == (400, "The piece is too large.")


def test_a_creation_that_is_asked_for_twice_happens_once(client):
    first, again = announce(client, key="a"), announce(client, key="a")
    assert again.json() == first.json()
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    client.delete(f"{UPLOADS}{first.json()['id']}/")
    assert announce(client, key="a").json() == first.json()
    assert Upload.objects.count() == 0
    assert announce(client, key="b").json()["id"] != first.json()["id"]


def test_a_key_that_came_with_something_else_is_refused(client):
    announce(client, key="a")
    told = announce(client, key="a", name="other.mp3")
    assert (told.status_code, told.json()["code"]) == (422, "idempotency_key_reused")
    assert announce(client, key="x" * 201).json()["code"] == "idempotency_key_too_long"


def test_the_key_of_another_account_is_another_key(client, other):
    mine, theirs = announce(client, key="a").json(), announce(client_of(other), key="a").json()
    assert mine["id"] != theirs["id"]


def test_deleting_cancels_and_leaves_nothing(client, upload, settings):
    send(client, upload, 0, b"01234")
    assert client.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    assert send(client, upload, 5, b"56789").status_code == 404
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


def test_a_file_that_is_cut_off_is_accepted_as_it_is(client, upload):
    Upload.objects.update(state=Upload.State.CUT, problem={"what": "The file is cut off.", "why": "", "action": ""})
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["state"] == "cut"
    assert client.post(f"{UPLOADS}{upload['id']}/accept/").json()["state"] == "waiting"


def test_those_of_others_are_not_there(upload, other):
    theirs = client_of(other)
    assert theirs.get(UPLOADS).json()["count"] == 0
    assert theirs.get(f"{UPLOADS}{upload['id']}/").status_code == 404
    assert theirs.delete(f"{UPLOADS}{upload['id']}/").status_code == 404
    assert theirs.post(f"{UPLOADS}{upload['id']}/accept/").status_code == 404
    assert send(theirs, upload, 0, b"01234").status_code == 404


def test_a_token_that_may_not_keep_sessions_may_not_upload(user):
    told = announce(client_of(user, "stt tts"))
    assert told.status_code == 403
