"""`POST /v1/realtime/client_secrets`: a short-lived token for a browser, which can only transcribe."""

from datetime import timedelta

import msgspec
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_POST

from accounts.credentials import access_tokens
from accounts.credentials.principal import Caller
from accounts.scopes import STT
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import BadRequest, error_response
from speech.dialects.openai.realtime.session import Session, Update
from speech.text.json_input import InvalidInput, decode_json

MAX_BYTES = 64 * 1024
MIN_LIFETIME, MAX_LIFETIME, DEFAULT_LIFETIME = 10, 7_200, 600  # seconds


class ExpiresAfter(msgspec.Struct):
    seconds: int = DEFAULT_LIFETIME
    anchor: str = "created_at"


class SecretRequest(msgspec.Struct):
    expires_after: ExpiresAfter = msgspec.field(default_factory=ExpiresAfter)
    session: Update = msgspec.field(default_factory=Update)


_decoder = msgspec.json.Decoder(SecretRequest)


@api_view(STT, error_response)
@require_POST
async def client_secrets(request: HttpRequest, caller: Caller) -> JsonResponse:
    """Create a secret. The session in the response is not stored: the browser sends it again with `session.update`."""
    body = _parse_body(request)
    seconds = body.expires_after.seconds
    if not MIN_LIFETIME <= seconds <= MAX_LIFETIME:
        why = f"Use {MIN_LIFETIME} to {MAX_LIFETIME} seconds."
        raise BadRequest("expires_after.seconds", f"Invalid lifetime: {seconds} seconds.", why)
    session = Session("sess_new").updated(body.session)
    secret, expires = access_tokens.issue_secret(caller, frozenset({STT}), timedelta(seconds=seconds))
    return JsonResponse({"value": secret, "expires_at": int(expires.timestamp()), "session": session.to_dict})


def _parse_body(request: HttpRequest) -> SecretRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BYTES:
        raise BadRequest("", "The request is too large.")
    try:
        return decode_json(_decoder, request.body or b"{}")
    except InvalidInput as error:
        raise BadRequest("", "Invalid request body.", str(error)) from None
