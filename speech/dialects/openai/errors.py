"""Errors in the format of OpenAI's API."""

from http import HTTPStatus
from typing import Any

from django.http import JsonResponse

from accounts.credentials.principal import AccessDenied
from speech.batch.decode import AudioError
from speech.dialects.api_view import http_status, retry_headers
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
    """An invalid value in a request; `param` names its field."""

    status = HTTPStatus.BAD_REQUEST
    error_code: str | None = None

    def __init__(self, param: str, what: str, why: str = "", action: str = "") -> None:
        self.param = param
        super().__init__(what, why or "The server doesn't accept this value.", action or "Change it and try again.")


class ModelNotFound(BadRequest):
    status = HTTPStatus.NOT_FOUND
    error_code = "model_not_found"


def error_body(error: AccessDenied | StreamError) -> dict[str, Any]:
    status = error.status if isinstance(error, BadRequest) else http_status(error)
    return {
        "message": _message(error),
        "type": TYPES.get(status, "invalid_request_error"),
        "param": error.param if isinstance(error, BadRequest) else None,
        "code": (error.error_code if isinstance(error, BadRequest) else None) or CODES.get(status, _own_code(error)),
    }


def _message(error: AccessDenied | StreamError) -> str:
    # The `action` of other stream errors addresses users of the live page.
    action = error.action if isinstance(error, AccessDenied | BadRequest | AudioError) else ""
    return f"{error.what} {error.why} {action}".strip()


def _own_code(error: AccessDenied | StreamError) -> str | None:
    return error.code if isinstance(error, AccessDenied) else None


def error_response(error: AccessDenied | StreamError) -> JsonResponse:
    status = error.status if isinstance(error, BadRequest) else http_status(error)
    return JsonResponse({"error": error_body(error)}, status=status, headers=retry_headers(error))
