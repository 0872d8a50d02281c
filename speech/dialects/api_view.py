"""HTTP views for programs: a token authenticates the caller, and errors have the dialect's own shape."""

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from accounts.credentials.credentials import Credentials
from accounts.credentials.principal import AccessDenied, Caller, RateLimited
from accounts.credentials.throttling import authenticate
from accounts.scopes import check_declared
from inference.observability.recent_errors import classify
from speech.errors import CloseCode, StreamError, Unavailable
from speech.gateway.database import in_database, in_own_thread
from speech.gateway.transient_errors import RETRY_AFTER, TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

STATUS = {
    CloseCode.AT_CAPACITY: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.NOT_AUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    CloseCode.NOT_APPROVED: HTTPStatus.FORBIDDEN,
    CloseCode.RATE_LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    CloseCode.PROTOCOL: HTTPStatus.BAD_REQUEST,
    CloseCode.RESTARTING: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.NO_ENGINE: HTTPStatus.SERVICE_UNAVAILABLE,
    CloseCode.SESSION_NOT_FOUND: HTTPStatus.NOT_FOUND,
}

View = Callable[..., Awaitable[HttpResponseBase]]
ErrorResponse = Callable[[AccessDenied | StreamError], HttpResponseBase]


def api_view(scope: str, error_response: ErrorResponse, max_body: int = 0) -> Callable[[View], Callable[..., Any]]:
    """Decorate `view(request, caller, …)`, which requires the scope, or `ANY_SCOPE`. Raises `UnknownScope`.

    `error_response` turns `AccessDenied` and `StreamError` into the response. No CSRF token is required: cookies count
    only in requests from the site's own pages. `max_body`: bytes, if more than the server's default for all paths.
    """

    def decorate(view: View) -> View:
        check_declared(scope, view.__name__)

        @login_not_required
        @csrf_exempt
        @wraps(view)
        async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                caller = await _authenticate(request)
                caller.require(scope)
                return await view(request, caller, *args, **kwargs)
            except (AccessDenied, StreamError) as error:
                return error_response(error)

        guarded.is_api_view = True  # type: ignore[attr-defined]
        guarded.max_body = max_body  # type: ignore[attr-defined]
        return guarded

    return decorate


async def _authenticate(request: HttpRequest) -> Caller:
    try:
        credentials = Credentials.of_request(request)
        return await (in_own_thread if credentials.asks_issuer else in_database)(authenticate, credentials)
    except TRANSIENT_ERRORS as error:
        logger.error("cannot authenticate: %r", error, extra=classify(error))
        what = "The server can't accept connections right now."
        raise Unavailable(what, "A service that it depends on is unavailable.") from None


def http_status(error: AccessDenied | StreamError) -> HTTPStatus:
    if isinstance(error, StreamError):
        return STATUS.get(error.code, HTTPStatus.INTERNAL_SERVER_ERROR)
    return error.status


def retry_headers(error: AccessDenied | StreamError) -> dict[str, str]:
    """`Retry-After`, if a retry may help."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.wait)}
    is_temporary = http_status(error) in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
    return {"Retry-After": str(RETRY_AFTER)} if is_temporary else {}
