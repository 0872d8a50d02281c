"""Invalid tokens are refused by the REST API and by every WebSocket for programs."""

import asyncio
import time

import jwt
import pytest
from channels.testing import WebsocketCommunicator
from django.test import Client

from accounts.credentials.jwt.keys import keys
from accounts.credentials.jwt.tokens import API_AUDIENCE, TICKET_AUDIENCE
from accounts.models import Token, User
from accounts.scopes import scopes_of
from dsm_site.asgi import application

WEBSOCKETS = [
    *("/ws/pcm", "/api/asr-streaming", "/api/tts_streaming", "/v1/listen", "/v1/realtime"),
    *("/v1/speak", "/v2/listen"),
    *("/vosk", "/whisper-live", "/asr"),
]
TIMEOUT = 10  # seconds


def create_token(user):
    return Token.create(user, Token.Kind.REFRESH, "a page", scopes_of("stt tts"), None)[0]


def forged(token, settings, alg="HS256", secret=None, kind=API_AUDIENCE, **changes):
    """Access token as from `accounts.credentials.access_tokens`, with changes."""
    now, key = int(time.time()), keys()[0]
    claims = {
        "iss": settings.SITE_URL,
        "aud": kind,
        "sub": str(token.user.pk),
        "status": "approved",
        "iat": now,
        "exp": now + 60,
        "jti": "one",
        "scope": "stt tts",
        "sid": str(token.pk),
        **changes,
    }
    return jwt.encode(
        claims, key.signing_key if secret is None else secret, alg, headers={"kid": key.id, "typ": f"{kind}+jwt"}
    )


def rejected(token, settings):
    User.objects.filter(pk=token.user.pk).reject(None, "")
    return forged(token, settings)


def revoked(token, settings):
    token.revoke()
    return forged(token, settings)


FORGERIES = {
    "expired": lambda token, settings: forged(token, settings, exp=int(time.time()) - 60),
    "without a signature": lambda token, settings: forged(token, settings, alg="none", secret=""),
    "with another algorithm": lambda token, settings: forged(token, settings, alg="HS512"),
    "with another key": lambda token, settings: forged(token, settings, secret="another secret of a good length, too"),
    "for another audience": lambda token, settings: forged(token, settings, aud="elsewhere"),
    "a ticket": lambda token, settings: forged(token, settings, kind=TICKET_AUDIENCE),
    "revoked": revoked,
    "of an account rejected a second ago": rejected,
}


async def opened_by(token):
    """URLs that accept the token."""
    headers = {"Authorization": f"Bearer {token}"}
    response = await asyncio.to_thread(Client(headers=headers).get, "/api/v1/me/")
    opened = [] if response.status_code in (401, 403) else ["/api/v1/me/"]
    for path in WEBSOCKETS:
        socket = WebsocketCommunicator(application, path, headers=[(b"authorization", f"Bearer {token}".encode())])
        if (await socket.connect(timeout=TIMEOUT))[0]:
            opened.append(path)
        await socket.disconnect(timeout=TIMEOUT)
    return opened


@pytest.mark.django_db(transaction=True)
async def test_an_unchanged_token_opens_every_url(no_engines, settings):
    def create():
        return forged(create_token(User.objects.create_user("ada@example.org", status="approved")), settings)

    assert await opened_by(await asyncio.to_thread(create)) == ["/api/v1/me/", *WEBSOCKETS]


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
async def test_a_forged_token_opens_no_url(forgery, no_engines, settings):
    def create():
        return forgery(create_token(User.objects.create_user("ada@example.org", status="approved")), settings)

    assert await opened_by(await asyncio.to_thread(create)) == []
