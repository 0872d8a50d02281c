"""Access control: every URL and WebSocket of the site, requested by every role. One that is missing in the tables fails
here."""

import asyncio
import uuid
from datetime import timedelta
from functools import partial

import pytest
from channels.testing import WebsocketCommunicator
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Token, User
from accounts.scopes import scopes_of
from dsm_site.asgi import application
from speech.dialects.routing import websocket_urlpatterns
from speech.gateway import workers
from speech.models import Session
from tests.accounts.site_urls import SAMPLES, all_urls
from webhooks.models import Webhook

ROLES = ("anonymous", "pending", "rejected", "owner", "other", "admin")
SAMPLE = uuid.UUID(SAMPLES["uuid"])
"""Id of all objects of the owner, as `all_urls` fills it in."""

# Outcomes for anonymous, pending, rejected, owner, other and admin:
OK, LOGIN, NOT_FOUND, FORBIDDEN = "ok", "login or status page", "404", "403"
PUBLIC = (OK, OK, OK, OK, OK, OK)
APIS = (OK, LOGIN, LOGIN, OK, OK, OK)
"""Open without a login, but not to browsers logged in to an account that is not approved."""
LOGGED_IN = (LOGIN, OK, OK, OK, OK, OK)
MEMBERS = (LOGIN, LOGIN, LOGIN, OK, OK, OK)
OWNER = (LOGIN, LOGIN, LOGIN, OK, NOT_FOUND, NOT_FOUND)
ADMINS = (LOGIN, LOGIN, LOGIN, FORBIDDEN, FORBIDDEN, OK)
UNREACHABLE = (LOGIN, LOGIN, LOGIN, NOT_FOUND, NOT_FOUND, NOT_FOUND)

URLS = {
    PUBLIC: """
        home health healthz ready info status jwks asyncapi build_info modules_info metrics voice_cloning
        shared shared_flac shared_wav shared_peaks invited
    """,
    APIS: "refresh_token revoke_token api_schema",
    LOGGED_IN: "approval_status approval_status_json close_account profile",
    MEMBERS: """
        live talk voices voices_file sessions sessions_bulk sessions_undo trash sessions_delete_permanently
        transcripts upload data_export download_all tickets access_token tokens webhooks
        api_docs api_me api_sessions api_personas api_engines api_voices
        api_uploads api_upload_content api_upload_accept
        openai_client_secrets openai_models openai_model openai_transcriptions openai_speech openai_voices
        asr_streaming tts tts_streaming deepgram_recorded
    """,
    OWNER: """
        session transcript session_details session_peaks session_delete share
        api_session api_session_words api_session_export
        session_replace webhook webhook_test webhook_retry webhook_delete token_revoke
    """,
    ADMINS: """
        operations end_stream overview approvals approvals_undo approval_log invitations invitation_revoke
        api_users api_user api_user_approve api_user_reject
    """,
    UNREACHABLE: """
        api_not_found session_restore session_flac session_wav correct correction_undo share_revoke
        api_session_audio api_upload api_persona
    """,
}
POSTED = {
    *("session_details", "session_delete", "session_restore", "correct", "session_replace", "correction_undo"),
    *("share", "share_revoke"),
    "end_stream",
    *("webhook_test", "webhook_retry", "webhook_delete", "token_revoke", "invitation_revoke"),
}
NAMED = {"transcript": "txt", "api_session_export": "srt", "api_session_audio": "wav"}
"""File extension used for a URL."""

API_SOCKETS = {
    "ws/pcm": "stt",
    "api/asr-streaming": "stt",
    "v1/listen": "stt",
    "v1/realtime": "stt",
    "api/tts_streaming": "tts",
}
"""WebSockets opened with a token, and the scope it needs."""
PAGE_SOCKETS = {"ws/live/", "ws/talk/", "ws/voices/"}
"""WebSockets of the site's pages, opened with a ticket."""
FALLBACK = {""}

EXCLUDED = ("admin:", "account_", "mfa_", "usersessions_")
"""Django's admin, with its own login page (tests/accounts/test_django_admin.py), and allauth's pages."""
SITE = [url for url in all_urls() if not url.name.startswith(EXCLUDED)]
RULES = [(url, rule) for url in SITE for rule, names in URLS.items() if url.name in names.split()]


def test_every_url_is_in_the_table_once():
    assert [url for url, _ in RULES] == SITE, "Add the missing URL to URLS."


@pytest.fixture(autouse=True)
def _fresh(db, monkeypatch):
    cache.clear()
    monkeypatch.setattr(workers, "DISCOVERY_TIMEOUT", 0.0)  # don't wait for engines, none is running
    monkeypatch.setattr(workers, "VOICES_TIMEOUT", 0.0)


def client_of(role, users):
    client = Client(
        headers={"Origin": "http://testserver", "Host": "testserver"}
    )  # cookies are accepted only from the site's own pages
    if role in users:
        client.force_login(users[role])
    return client


@pytest.fixture
def users():
    create = partial(User.objects.create_user, password="a passphrase that is hard to guess")
    users = {
        "pending": create("pending@example.org", pk=int(SAMPLES["int"])),
        "rejected": create("rejected@example.org", status="rejected", is_staff=True),
        "owner": create("owner@example.org", status="approved"),
        "other": create("other@example.org", status="approved"),
        "admin": create("admin@example.org", status="approved", is_staff=True, is_superuser=True),
    }
    now = timezone.now()
    long_ago = now - timedelta(hours=1)
    Session.objects.create(pk=SAMPLE, owner=users["owner"], started_at=long_ago, ended_at=now, samples=24_000)
    Invitation.objects.create(pk=int(SAMPLES["int"]), digest="x", expires_at=now + timedelta(days=1))
    Webhook.objects.create(pk=SAMPLE, owner=users["owner"], url="https://example.org/")
    Token.objects.create(pk=SAMPLE, user=users["owner"], kind=Token.Kind.API, name="x", digest="x", scopes="stt")
    return users


def outcome(response) -> str:
    if response.status_code in (302, 303) and response.url.startswith(("/accounts/login/", "/accounts/status/")):
        return LOGIN
    if response.status_code == 401 or (response.status_code == 403 and b"not approved" in response.content):
        return LOGIN
    return {403: FORBIDDEN, 404: NOT_FOUND}.get(response.status_code, OK)


@pytest.mark.parametrize(("url", "rule"), RULES, ids=[url.name for url, _ in RULES])
def test_access_to_urls(url, rule, users):
    path = url.path.replace("transcript.x", f"transcript.{NAMED.get(url.name, 'x')}")
    outcomes = []
    for role in ROLES:
        client = client_of(role, users)
        response = client.post(path) if url.name in POSTED else client.get(path, headers={"Accept": "application/json"})
        outcomes.append(outcome(response))
        if url.name in POSTED and outcomes[-1] == OK:
            break  # the object may be deleted now
    expected = list(rule)[: len(outcomes)]
    if rule in (PUBLIC, LOGGED_IN, MEMBERS):
        outcomes = [OK if each == NOT_FOUND else each for each in outcomes]  # the sample id may not exist
    assert dict(zip(ROLES, outcomes, strict=False)) == dict(zip(ROLES, expected, strict=False))


@pytest.mark.parametrize("url", [url for url, rule in RULES if rule is OWNER and url.name in POSTED], ids=str)
def test_other_users_cannot_change_an_owners_objects(url, users):
    for role in ("other", "admin"):
        assert outcome(client_of(role, users).post(url.path)) == NOT_FOUND


# --- WebSockets -------------------------------------------------------------------------------------------------------


def test_every_websocket_is_in_the_table():
    paths = {str(pattern.pattern) for pattern in websocket_urlpatterns}
    assert paths <= {*API_SOCKETS, *PAGE_SOCKETS, *FALLBACK}, "Add the missing WebSocket to a table."


def token_of(user, scopes):
    return Token.create(user, Token.Kind.API, "a program", scopes_of(scopes), None)[1]


PRESENT_API_SOCKETS = [
    path for path in API_SOCKETS if path in {str(pattern.pattern) for pattern in websocket_urlpatterns}
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", PRESENT_API_SOCKETS)
async def test_access_to_websockets(path, no_engines):
    def create_tokens():
        approved = User.objects.create_user("approved@example.org", status="approved")
        admin = User.objects.create_superuser("admin@example.org")
        tokens = {"approved": token_of(approved, API_SOCKETS[path]), "admin": token_of(admin, "stt tts")}
        tokens["without the scope"] = token_of(approved, "sessions")
        for status in ("pending", "rejected"):
            user = User.objects.create_user(f"{status}@example.org", status="approved")
            tokens[status] = token_of(user, "stt tts")
            User.objects.filter(pk=user.pk).update(status=status)
        return {**tokens, "a wrong token": "dsm_wrong", "anonymous": ""}

    accepted = {}
    for role, token in (await asyncio.to_thread(create_tokens)).items():
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        socket = WebsocketCommunicator(application, f"/{path}", headers=headers)
        accepted[role], _ = await socket.connect(timeout=10)
        await socket.disconnect(timeout=10)
    assert {role for role, is_accepted in accepted.items() if is_accepted} == {"approved", "admin"}


async def test_an_unknown_websocket_path_is_rejected(no_engines):
    socket = WebsocketCommunicator(application, "/ws/elsewhere")
    assert (await socket.connect(timeout=10))[0] is False
