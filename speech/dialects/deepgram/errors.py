"""Errors in the format of Deepgram's API."""

from http import HTTPStatus
from uuid import uuid4

from django.http import JsonResponse

from accounts.credentials.principal import AccessDenied
from speech.batch.decode import AudioError
from speech.dialects.api_view import http_status, retry_headers
from speech.errors import InvalidText, ProtocolError, StreamError
from speech.synthesis.text_input import MAX_TEXT

TEXTS = {
    HTTPStatus.BAD_REQUEST: "Bad Request",
    HTTPStatus.UNAUTHORIZED: "INVALID_AUTH",
    HTTPStatus.FORBIDDEN: "INSUFFICIENT_PERMISSIONS",
    HTTPStatus.NOT_FOUND: "NOT_FOUND",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "PAYLOAD_TOO_LARGE",
    HTTPStatus.TOO_MANY_REQUESTS: "TOO_MANY_REQUESTS",
}
"""Deepgram's names of errors, where they differ from those of HTTP."""


class InvalidParameter(ProtocolError):
    """A parameter of the query has a value that isn't valid, or isn't supported."""

    def __init__(self, what: str, why: str, action: str = "") -> None:
        super().__init__(what, why, action or "Change the parameter, or leave it out.")


class RemoteContentError(ProtocolError):
    """A recording can't be fetched from its URL."""

    what = "Couldn't fetch the recording."
    action = "Check the URL, or send the file itself as the body."


class TextTooLong(InvalidText):
    what = "The text is too long."
    why = f"The limit is {MAX_TEXT:,} characters."
    action = "Split the text."


def message_of(error: AccessDenied | StreamError) -> str:
    # The `action` of other stream errors addresses users of the live page.
    has_action = isinstance(error, AccessDenied | AudioError | InvalidParameter | RemoteContentError)
    return f"{error.what} {error.why} {error.action if has_action else ''}".strip()


def error_response(error: AccessDenied | StreamError) -> JsonResponse:
    is_long = isinstance(error, TextTooLong)
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_long else http_status(error)
    request_id, message = str(uuid4()), message_of(error)
    ascii_message = " ".join(message.encode("ascii", "ignore").decode().split())
    return JsonResponse(
        {"err_code": _code_of(error, status), "err_msg": message, "request_id": request_id},
        status=status,
        headers={**retry_headers(error), "dg-error": ascii_message, "dg-request-id": request_id},
    )


def _code_of(error: AccessDenied | StreamError, status: HTTPStatus) -> str:
    return "REMOTE_CONTENT_ERROR" if isinstance(error, RemoteContentError) else TEXTS.get(status, status.name)
