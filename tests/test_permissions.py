"""Who may ask for what: every URL and every socket of the site, and everybody who may come. One that is not in the
tables fails here, whoever adds it."""

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
from speech.gateway import link
from speech.models import Session
from tests.accounts.site_urls import SAMPLES, all_urls
from webhooks.models import Webhook

ROLES = ("anonymous", "pending", "rejected", "owner", "other", "admin")
SAMPLE = uuid.UUID(SAMPLES["uuid"])
"""The id of everything that the owner has, as the walk over the URLs fills it in."""

# What becomes of anonymous, pending, rejected, owner, other and admin:
IN, OUT, GONE, NO = "in", "sent away", "404", "403"
ANYBODY = (IN, IN, IN, IN, IN, IN)
APIS = (IN, OUT, OUT, IN, IN, IN)
"""Open to whoever brings what they need, and to nobody whose browser is logged in without approval."""
LOGGED_IN = (OUT, IN, IN, IN, IN, IN)
MEMBERS = (OUT, OUT, OUT, IN, IN, IN)
OWNER = (OUT, OUT, OUT, IN, GONE, GONE)
ADMINS = (OUT, OUT, OUT, NO, NO, IN)
NOBODY = (OUT, OUT, OUT, GONE, GONE, GONE)

URLS = {
    ANYBODY: """
        home health healthz ready info status jwks asyncapi build_info modules_info metrics voice_cloning
        shared shared_flac shared_wav shared_peaks invited
    """,
    APIS: "refresh_token revoke_token rest_schema",
    LOGGED_IN: "standing standing_json close_account profile",
    MEMBERS: """
        live voices voices_file sessions sessions_bulk sessions_undo sessions_deleted sessions_delete_for_good
        transcripts upload uploads your_data download_all tickets access_token tokens webhooks
        rest_docs rest_me rest_sessions rest_engines rest_voices
        rest_uploads rest_upload_content rest_upload_accept
        openai_client_secrets openai_models openai_model openai_transcriptions openai_speech openai_voices
        asr_streaming tts tts_streaming deepgram_recorded
    """,
    OWNER: """
        session transcript session_details session_peaks session_words session_delete share
        rest_session rest_session_words rest_session_export
        session_replace webhook webhook_test webhook_again webhook_delete token_revoke
    """,
    ADMINS: """
        operations end_stream overview approvals approvals_undo decisions invitations invitation_revoke
        rest_users rest_user rest_user_approve rest_user_reject
    """,
    NOBODY: """
        rest_nowhere session_put_back session_flac session_wav correct correction_undo share_revoke
        one_upload rest_session_audio rest_upload
    """,
}
POSTED = {
    *("session_details", "session_delete", "session_put_back", "correct", "session_replace", "correction_undo"),
    *("share", "share_revoke"),
    "end_stream",
    *("webhook_test", "webhook_again", "webhook_delete", "token_revoke", "invitation_revoke"),
}
NAMED = {"transcript": "txt", "rest_session_export": "srt", "rest_session_audio": "wav"}
"""What stands for the extension."""

PROGRAMS = {
    "ws/pcm": "stt",
    "api/asr-streaming": "stt",
    "v1/listen": "stt",
    "v1/realtime": "stt",
    "api/tts_streaming": "tts",
}
"""The sockets that a token opens, and the scope it needs."""
PAGES = {"ws/live/", "ws/voices/"}
"""Those of the site's pages, which a ticket opens."""
NOWHERE = {""}


SEEN_TO_ELSEWHERE = ("admin:", "account_", "mfa_", "usersessions_")
"""Django's admin, with its own log-in page (tests/accounts/test_django_admin.py), and allauth's pages."""
SITE = [url for url in all_urls() if not url.name.startswith(SEEN_TO_ELSEWHERE)]
RULES = [(url, rule) for url in SITE for rule, names in URLS.items() if url.name in names.split()]


def test_every_url_is_in_the_table_once():
    assert [url for url, _ in RULES] == SITE, "Who may ask for the one that is missing?"


@pytest.fixture(autouse=True)
def _fresh(db, monkeypatch):
    cache.clear()
    monkeypatch.setattr(link, "DISCOVERY_TIMEOUT", 0.0)  # no engine runs here, so none is waited for
    monkeypatch.setattr(link, "VOICES_TIMEOUT", 0.0)


def client_of(role, users):
    client = Client(
        headers={"Origin": "http://testserver", "Host": "testserver"}
    )  # cookies count from the site's own pages
    if role in users:
        client.force_login(users[role])
    return client


@pytest.fixture
def users():
    create = partial(User.objects.create_user, password="a passphrase nobody guesses")
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
    if response.status_code in (302, 303) and response.url.startswith(("/accounts/login/", "/accounts/standing/")):
        return OUT
    if response.status_code == 401 or (response.status_code == 403 and b"not approved" in response.content):
        return OUT
    return {403: NO, 404: GONE}.get(response.status_code, IN)


@pytest.mark.parametrize(("url", "rule"), RULES, ids=[url.name for url, _ in RULES])
def test_who_may_ask_for(url, rule, users):
    path = url.path.replace("transcript.x", f"transcript.{NAMED.get(url.name, 'x')}")
    met = []
    for role in ROLES:
        client = client_of(role, users)
        response = client.post(path) if url.name in POSTED else client.get(path, headers={"Accept": "application/json"})
        met.append(outcome(response))
        if url.name in POSTED and met[-1] == IN:
            break  # it may be gone now
    wanted = list(rule)[: len(met)]
    if rule in (ANYBODY, LOGGED_IN, MEMBERS):
        met = [IN if outcome == GONE else outcome for outcome in met]  # of something that there is not
    assert dict(zip(ROLES, met, strict=False)) == dict(zip(ROLES, wanted, strict=False))


@pytest.mark.parametrize("url", [url for url, rule in RULES if rule is OWNER and url.name in POSTED], ids=str)
def test_others_change_nothing_of_an_owners(url, users):
    for role in ("other", "admin"):
        assert outcome(client_of(role, users).post(url.path)) == GONE


# --- Sockets ----------------------------------------------------------------------------------------------------------


def test_every_socket_is_in_the_table():
    paths = {str(pattern.pattern) for pattern in websocket_urlpatterns}
    assert paths <= {*PROGRAMS, *PAGES, *NOWHERE}, "Who may open it?"


def token_of(user, scopes):
    return Token.create(user, Token.Kind.API, "a program", scopes_of(scopes), None)[1]


HERE = [path for path in PROGRAMS if path in {str(pattern.pattern) for pattern in websocket_urlpatterns}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", HERE)
async def test_who_may_open(path, no_engines):
    def made():
        approved = User.objects.create_user("approved@example.org", status="approved")
        admin = User.objects.create_superuser("admin@example.org")
        tokens = {"approved": token_of(approved, PROGRAMS[path]), "admin": token_of(admin, "stt tts")}
        tokens["without the scope"] = token_of(approved, "sessions")
        for status in ("pending", "rejected"):
            user = User.objects.create_user(f"{status}@example.org", status="approved")
            tokens[status] = token_of(user, "stt tts")
            User.objects.filter(pk=user.pk).update(status=status)
        return {**tokens, "a wrong token": "dsm_wrong", "anonymous": ""}

    met = {}
    for role, token in (await asyncio.to_thread(made)).items():
        headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        socket = WebsocketCommunicator(application, f"/{path}", headers=headers)
        met[role], _ = await socket.connect(timeout=10)
        await socket.disconnect(timeout=10)
    assert {role for role, came_in in met.items() if came_in} == {"approved", "admin"}


async def test_an_address_that_no_socket_has_opens_nothing(no_engines):
    socket = WebsocketCommunicator(application, "/ws/elsewhere")
    assert (await socket.connect(timeout=10))[0] is False
