"""Webhooks through the REST API."""

import pytest

from accounts.models import Token, User
from accounts.scopes import ADMIN, SESSIONS
from webhooks.models import MAX_WEBHOOKS_PER_USER, Event, Webhook

URL = "https://example.org/hook"
BODY = {"url": URL, "events": ["session.finished"]}


@pytest.fixture
def request_as(db):
    """Send a request with a token of an account that has these scopes."""
    from django.test import Client

    def request_as(
        method, path="", body=None, *, email="user@example.org", scopes=(SESSIONS,), is_staff=False, **headers
    ):
        user = User.objects.filter(email=email).first()
        user = user or User.objects.create_user(email, status="approved", is_staff=is_staff)
        _, text = Token.create(user, Token.Kind.API, "x", frozenset(scopes), None)
        send = getattr(Client(headers={"Authorization": f"Bearer {text}", **headers}), method)
        return (
            send(f"/api/v1/webhooks/{path}", body, "application/json")
            if body is not None
            else send(f"/api/v1/webhooks/{path}")
        )

    return request_as


def test_a_program_subscribes_changes_and_unsubscribes(request_as):
    created = request_as("post", body=BODY)
    webhook = Webhook.objects.get()
    assert (created.status_code, created.json()["secret"]) == (201, webhook.secret)
    assert (webhook.url, webhook.events, webhook.owner.email) == (URL, ["session.finished"], "user@example.org")
    path = f"{webhook.pk}/"
    read = request_as("get", path)
    assert "secret" not in read.json()
    assert "secret" not in request_as("get").json()["results"][0]
    changed = request_as("patch", path, {"is_active": False}, **{"If-Match": read["ETag"]})
    assert (changed.status_code, changed.json()["is_active"]) == (200, False)
    assert request_as("delete", path).status_code == 204
    assert not Webhook.objects.exists()


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://example.org/", "https://me:secret@example.org/", "x"])
def test_urls_that_the_page_rejects_are_rejected(request_as, url):
    response = request_as("post", body=BODY | {"url": url})
    assert (response.status_code, list(response.json()["errors"])) == (400, ["url"])


@pytest.mark.parametrize("events", [[], ["session.started"], "session.finished", None])
def test_invalid_events_are_rejected(request_as, events):
    assert list(request_as("post", body=BODY | {"events": events}).json()["errors"]) == ["events"]


@pytest.mark.parametrize(
    ("scopes", "is_staff", "status"),
    [((SESSIONS,), False, 400), ((SESSIONS,), True, 400), ((SESSIONS, ADMIN), True, 201), ((ADMIN,), True, 403)],
)
def test_only_administrators_tokens_with_their_scope_subscribe_to_sign_ups(request_as, scopes, is_staff, status):
    body = BODY | {"events": [Event.USER_PENDING]}
    assert request_as("post", body=body, scopes=scopes, is_staff=is_staff).status_code == status


def test_the_number_of_webhooks_is_limited(request_as):
    for _ in range(MAX_WEBHOOKS_PER_USER):
        last = request_as("post", body=BODY)
    assert last.status_code == 201
    response = request_as("post", body=BODY)
    assert (response.status_code, response.json()["code"]) == (409, "too_many_webhooks")


def test_a_creation_is_safe_to_retry(request_as):
    first, second = (request_as("post", body=BODY, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first.json() == second.json()
    assert Webhook.objects.count() == 1


def test_webhooks_of_others_are_not_found(request_as):
    pk = request_as("post", body=BODY).json()["id"]
    for method, body in (("get", None), ("patch", {}), ("delete", None)):
        assert request_as(method, f"{pk}/", body, email="stranger@example.org").status_code == 404
