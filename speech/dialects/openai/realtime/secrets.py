"""`POST /v1/realtime/client_secrets`: a token for a browser, that hears and does nothing else, for a short time."""

import time
from datetime import timedelta

import msgspec
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts.credentials.jwt import tokens
from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import BadRequest, error_response
from speech.dialects.openai.realtime.session import Session, Update

MAX_BYTES = 64 * 1024
SHORTEST, LONGEST, USUAL = 10, 7_200, 600
"""Seconds."""


class ExpiresAfter(msgspec.Struct):
    seconds: int = USUAL
    anchor: str = "created_at"


class SecretRequest(msgspec.Struct):
    expires_after: ExpiresAfter = msgspec.field(default_factory=ExpiresAfter)
    session: Update = msgspec.field(default_factory=Update)


_asked = msgspec.json.Decoder(SecretRequest)


@api_view(STT, error_response)
@require_POST
async def client_secrets(request: HttpRequest, caller: Caller) -> JsonResponse:
    """What the session is to be is told back; the browser says it again with `session.update`."""
    asked = _read(request)
    seconds = asked.expires_after.seconds
    if not SHORTEST <= seconds <= LONGEST:
        why = f"It is {SHORTEST} to {LONGEST} seconds."
        raise BadRequest("expires_after.seconds", f"A secret of {seconds} seconds is not made.", why)
    session = Session("")
    session.update(asked.session)
    parent = {"sid": caller.token} if caller.token else {}
    secret = tokens.issue(caller.user, tokens.API_AUDIENCE, timedelta(seconds=seconds), scope=STT, **parent)
    expires_at = int(time.time()) + seconds
    return JsonResponse({"value": secret, "expires_at": expires_at, "session": {**session.to_dict, "id": "sess_new"}})


def _read(request: HttpRequest) -> SecretRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("", "The request is too large.")
    try:
        return _asked.decode(request.body or b"{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest("", "The request could not be read.", f"{error}.") from None
