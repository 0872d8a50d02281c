"""Tokens that should open nothing, at the doors of the application: HTTP, and every kind of program's socket."""

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

SOCKETS = ["/ws/pcm", "/api/asr-streaming", "/api/tts_streaming", "/v1/listen", "/v1/realtime"]
ANSWERED_WITHIN = 10  # seconds


def good(user):
    return Token.create(user, Token.Kind.REFRESH, "a page", scopes_of("stt tts"), None)[0]


def forged(token, settings, alg="HS256", secret=None, kind=API_AUDIENCE, **changes):
    """As `accounts.credentials.access_tokens` makes it, but for what is given."""
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
    "of somebody who was rejected a second ago": rejected,
}


async def open_doors(token):
    """Those of HTTP and of the sockets that it opens."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = await asyncio.to_thread(Client(headers=headers).get, "/api/v1/me/")
    opened = [] if answer.status_code in (401, 403) else ["/api/v1/me/"]
    for path in SOCKETS:
        socket = WebsocketCommunicator(application, path, headers=[(b"authorization", f"Bearer {token}".encode())])
        if (await socket.connect(timeout=ANSWERED_WITHIN))[0]:
            opened.append(path)
        await socket.disconnect(timeout=ANSWERED_WITHIN)
    return opened


@pytest.mark.django_db(transaction=True)
async def test_what_is_forged_without_a_change_opens_every_door(no_engines, settings):
    def made():
        return forged(good(User.objects.create_user("ada@example.org", status="approved")), settings)

    assert await open_doors(await asyncio.to_thread(made)) == ["/api/v1/me/", *SOCKETS]


@pytest.mark.filterwarnings("ignore:The HMAC key")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES.keys())
async def test_it_opens_no_door(forgery, no_engines, settings):
    def made():
        return forgery(good(User.objects.create_user("ada@example.org", status="approved")), settings)

    assert await open_doors(await asyncio.to_thread(made)) == []
