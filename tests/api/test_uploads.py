"""Uploads under `/api/v1/uploads/`; their transcription is tested by `tests/speech/uploads`."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from speech.models import Upload
from speech.models.upload import ABANDONED_AFTER
from tests.api.conftest import client_of

UPLOADS = "/api/v1/uploads/"


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def create(client, /, *, key="", **options):
    headers = {"Idempotency-Key": key} if key else {}
    body = {"name": "talk.mp3", "size": 10, **options}
    return client.post(UPLOADS, json.dumps(body), content_type="application/json", headers=headers)


def send_part(client, upload, offset, data, sha256=""):
    path = f"{UPLOADS}{upload['id']}/content/?offset={offset}&sha256={sha256}"
    return client.put(path, data, content_type="application/octet-stream")


@pytest.fixture
def upload(client):
    return create(client).json()


def test_an_upload_is_created_and_sent_in_parts(client, upload):
    assert (upload["state"], upload["received"], upload["session"]) == ("uploading", 0, None)
    assert send_part(client, upload, 0, b"01234").json()["received"] == 5
    assert send_part(client, upload, 5, b"56789").json()["state"] == "waiting"
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["received"] == 10
    assert [each["id"] for each in client.get(UPLOADS).json()["results"]] == [upload["id"]]


RECORDING = {"fingerprint": "a", "client": "page 1"}


def pause(upload, seconds=0.0):
    """Let the time pass after which others can continue it, and some more seconds."""
    passed = ABANDONED_AFTER + timedelta(seconds=seconds)
    Upload.objects.filter(pk=upload["id"]).update(seen_at=timezone.now() - passed)


def test_the_same_recording_of_the_same_page_resumes_with_the_latest_options(client, no_engines):
    upload = create(client, **RECORDING)
    send_part(client, upload.json(), 0, b"01234")
    options = {"language": "de", "audio": True, "multichannel": True}
    again = create(client, **RECORDING, name="renamed.mp3", **options).json()
    assert (again["id"], again["received"], again["name"]) == (upload.json()["id"], 5, "renamed.mp3")
    row = Upload.objects.get()
    assert (row.language, row.saves_audio, row.is_multichannel, row.title) == ("de", True, True, "renamed")


@pytest.mark.parametrize(
    "other",
    [
        {"fingerprint": "b", "client": "page 1"},
        {"fingerprint": "a", "client": "page 1", "size": 11},
        {"fingerprint": "a", "client": "page 2"},
        {},
    ],
    ids=["content", "size", "page", "unidentified"],
)
def test_another_recording_or_page_gets_another_upload(client, other):
    upload = create(client, **RECORDING).json()
    send_part(client, upload, 0, b"01234")
    new = create(client, **other).json()
    assert (new["id"] != upload["id"], new["received"]) == (True, 0)


def test_without_a_fingerprint_nothing_is_resumed(client, upload):
    send_part(client, upload, 0, b"01234")
    assert create(client).json()["received"] == 0


def test_another_account_gets_its_own_upload(client, other):
    assert create(client, **RECORDING).json()["id"] != create(client_of(other), **RECORDING).json()["id"]


def test_an_abandoned_upload_is_continued_by_one_other_page(client):
    upload = create(client, **RECORDING).json()
    send_part(client, upload, 0, b"01234")
    pause(upload, seconds=1)
    statuses = [create(client, fingerprint="a", client=page).json() for page in ("page 2", "page 3", "page 2")]
    assert [status["id"] == upload["id"] for status in statuses] == [True, False, True]
    assert [status["received"] for status in statuses] == [5, 0, 5]


def test_the_status_says_whether_a_page_is_sending(client):
    upload = create(client, **RECORDING).json()
    assert (upload["client"], upload["is_sending"]) == ("page 1", True)
    pause(upload)
    assert not client.get(f"{UPLOADS}{upload['id']}/").json()["is_sending"]


def test_a_recording_that_is_complete_is_uploaded_again(client):
    upload = create(client, **RECORDING).json()
    assert send_part(client, upload, 0, b"0123456789", "0" * 64).json()["state"] == "waiting"
    assert create(client, **RECORDING).json()["id"] != upload["id"]


@pytest.mark.parametrize("sha256", ["", "0" * 63, "g" * 64])
def test_the_last_part_of_a_resumable_upload_needs_the_hash_of_the_file(client, sha256):
    upload = create(client, **RECORDING).json()
    send_part(client, upload, 0, b"01234")
    response = send_part(client, upload, 5, b"56789", sha256)
    assert (response.status_code, response.json()["title"]) == (400, "The last part has no valid SHA-256.")
    assert send_part(client, upload, 5, b"56789", "A" * 64).json()["state"] == "waiting"
    assert Upload.objects.get().sha256 == "a" * 64


def test_a_part_at_the_wrong_offset_is_rejected(client, upload):
    response = send_part(client, upload, 3, b"34")
    assert (response.status_code, response.json()["code"]) == (409, "other_bytes_follow")
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["received"] == 0


@pytest.mark.parametrize(("size", "title"), [(0, "The file is empty."), (10**12, "The file is too large.")])
def test_invalid_sizes_are_rejected_with_a_problem(client, size, title):
    response = create(client, size=size)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert (response.json()["title"], response.json()["code"]) == (title, "refused")


def test_a_part_that_is_too_large_is_rejected(client, upload):
    response = send_part(client, upload, 0, bytes(9_000_000))
    assert (response.status_code, response.json()["title"]) == (400, "The part is too large.")


def test_a_repeated_idempotency_key_returns_the_first_response(client):
    first, again = create(client, key="a"), create(client, key="a")
    assert again.json() == first.json()
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    client.delete(f"{UPLOADS}{first.json()['id']}/")
    assert create(client, key="a").json() == first.json()
    assert Upload.objects.count() == 0
    assert create(client, key="b").json()["id"] != first.json()["id"]


def test_a_key_reused_with_other_content_is_rejected(client):
    create(client, key="a")
    response = create(client, key="a", name="other.mp3")
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert create(client, key="x" * 201).json()["code"] == "idempotency_key_too_long"


def test_idempotency_keys_are_per_account(client, other):
    mine, theirs = create(client, key="a").json(), create(client_of(other), key="a").json()
    assert mine["id"] != theirs["id"]


def test_delete_cancels_an_upload_and_removes_its_file(client, upload, settings):
    send_part(client, upload, 0, b"01234")
    assert client.delete(f"{UPLOADS}{upload['id']}/").status_code == 204
    assert send_part(client, upload, 5, b"56789").status_code == 404
    assert list((settings.DATA_DIR / "uploads").iterdir()) == []


def test_a_truncated_upload_can_be_accepted(client, upload):
    Upload.objects.update(
        state=Upload.State.TRUNCATED, problem={"what": "The file is truncated.", "why": "", "action": ""}
    )
    assert client.get(f"{UPLOADS}{upload['id']}/").json()["state"] == "truncated"
    assert client.post(f"{UPLOADS}{upload['id']}/accept/").json()["state"] == "waiting"


def test_uploads_of_others_are_not_found(upload, other):
    theirs = client_of(other)
    assert theirs.get(UPLOADS).json()["count"] == 0
    assert theirs.get(f"{UPLOADS}{upload['id']}/").status_code == 404
    assert theirs.delete(f"{UPLOADS}{upload['id']}/").status_code == 404
    assert theirs.post(f"{UPLOADS}{upload['id']}/accept/").status_code == 404
    assert send_part(theirs, upload, 0, b"01234").status_code == 404


def test_a_token_that_may_not_keep_sessions_may_not_upload(user):
    response = create(client_of(user, "stt tts"))
    assert response.status_code == 403


def test_a_browser_needs_the_csrf_token(user, settings):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    assert create(browser).json()["code"] == "permission_denied"
    browser.cookies[settings.CSRF_COOKIE_NAME] = token = "c" * 32
    body = json.dumps({"name": "talk.mp3", "size": 10})
    created = browser.post(UPLOADS, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert created.status_code == 201
