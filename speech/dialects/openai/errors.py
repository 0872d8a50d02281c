"""What went wrong, as OpenAI's clients expect it."""

from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

from accounts.credentials.principal import Refused
from speech.dialects.api_view import status_of, when_to_retry
from speech.errors import ProtocolError, StreamError

TYPES = {
    HTTPStatus.UNAUTHORIZED: "authentication_error",
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
    HTTPStatus.SERVICE_UNAVAILABLE: "server_error",
    HTTPStatus.INTERNAL_SERVER_ERROR: "server_error",
}
CODES = {HTTPStatus.UNAUTHORIZED: "invalid_api_key", HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_exceeded"}


class BadRequest(ProtocolError):
    """What was asked for makes no sense; `param` names what of it."""

    status = HTTPStatus.BAD_REQUEST
    error_code: str | None = None

    def __init__(self, param: str, what: str, why: str = "", todo: str = "") -> None:
        self.param = param
        super().__init__(what, why or "It is not what this server takes.", todo or "Change it and ask again.")


class NoSuchModel(BadRequest):
    status = HTTPStatus.NOT_FOUND
    error_code = "model_not_found"


def told(error: Refused | StreamError) -> dict[str, Any]:
    status = error.status if isinstance(error, BadRequest) else status_of(error)
    return {
        "message": _in_words(error),
        "type": TYPES.get(status, "invalid_request_error"),
        "param": error.param if isinstance(error, BadRequest) else None,
        "code": (error.error_code if isinstance(error, BadRequest) else None) or CODES.get(status, _own_code(error)),
    }


def _in_words(error: Refused | StreamError) -> str:
    """What to do, of an error that any dialect may meet, is for the live page's user."""
    todo = error.todo if isinstance(error, Refused | BadRequest) else ""
    return f"{error.what} {error.why} {todo}".strip()


def _own_code(error: Refused | StreamError) -> str | None:
    return error.code if isinstance(error, Refused) else None


def refuse(error: Refused | StreamError) -> JsonResponse:
    status = error.status if isinstance(error, BadRequest) else status_of(error)
    return JsonResponse({"error": told(error)}, status=status, headers=when_to_retry(error))
