"""Errors under the paths of the APIs are JSON, whatever part of Django detected them: an unknown URL, a wrong method, a
bad host, a bug, a lost database. Views with errors of their own have sent JSON already."""

from asyncio import iscoroutinefunction
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from accounts.credentials.principal import AccessDenied
from api.conventions import problem_details
from speech.dialects.deepgram import errors as deepgram
from speech.dialects.openai import errors as openai
from speech.dialects.self_hosted import whisper_cpp

DEEPGRAM = ("/v1/listen", "/v1/speak", "/v2/")
PREFIXES = ("/api/", "/v1/", "/v2/", "/inference")
MESSAGES = {
    400: (
        "Invalid request.",
        "The server can't read it: it is malformed, too large, or addressed to another host.",
        "Compare it with the API's documentation.",
    ),
    403: (
        "Access denied.",
        "The request has neither a token nor a valid CSRF token, or its account lacks the permission.",
        "Send a token as “Authorization: Bearer TOKEN”.",
    ),
    404: ("Not found.", "There is nothing at this URL.", "Compare it with the API's documentation."),
    405: ("Method not allowed.", "This URL doesn't support the request's method.", "Use one that “Allow” lists."),
    500: (
        "Something went wrong on the server.",
        "The cause is in its log.",
        "Retry. If the problem persists, contact your administrator.",
    ),
    503: (
        "The server is temporarily unavailable.",
        "A service that it depends on isn't responding.",
        "Retry in a few seconds.",
    ),
}
"""What happened, why, and what to do."""


class HttpError(AccessDenied):
    """An error that Django detected, for the functions that give errors a dialect's form."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status
        what, why, action = MESSAGES.get(
            status, (f"{status.phrase}.", f"{status.description}.", "Compare it with the API's documentation.")
        )
        super().__init__(status.name.lower(), what, why, action)


class NotFoundSocket(AsyncWebsocketConsumer):
    """The WebSocket of every path that has no other."""

    async def connect(self) -> None:
        """Deny the handshake: with JSON under the paths of the APIs, if the web server can send it."""
        path = self.scope["path"]
        if not path.startswith(PREFIXES) or "websocket.http.response" not in self.scope.get("extensions", {}):
            return await self.close()
        response = json_response(path, HttpError(HTTPStatus.NOT_FOUND))
        headers = [(name.encode("latin1"), value.encode("latin1")) for name, value in response.items()]
        start = {"type": "websocket.http.response.start", "status": response.status_code, "headers": headers}
        await self.base_send(start)
        return await self.base_send({"type": "websocket.http.response.body", "body": response.content})


@sync_and_async_middleware
def json_errors(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Precedes all middleware but that of default headers, so that it sees the errors of all others."""
    if iscoroutinefunction(get_response):
        get_response_async: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def middleware_async(request: HttpRequest) -> HttpResponseBase:
            return _with_json_error(request, await get_response_async(request))

        return middleware_async

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return _with_json_error(request, get_response(request))

    return middleware


def _with_json_error(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Replace an error page by JSON. Headers such as `Allow` and `Retry-After` remain."""
    is_page = response.status_code >= 400 and response.headers.get("Content-Type", "").startswith("text/html")
    if is_page and isinstance(response, HttpResponse) and request.path_info.startswith(PREFIXES):
        body = json_response(request.path_info, HttpError(HTTPStatus(response.status_code)))
        response.content = body.content
        response.headers["Content-Type"] = body.headers["Content-Type"]
        response.headers["Content-Length"] = str(len(body.content))
    return response


def json_response(path: str, error: AccessDenied) -> HttpResponse:
    """The error in the form of the protocol that has this path."""
    if path.startswith(DEEPGRAM):
        return deepgram.error_response(error)
    if path.startswith("/inference"):
        return whisper_cpp.error_response(error)
    if path.startswith("/v1/"):
        return openai.error_response(error)
    return problem_details.json_response(error.status, error.to_dict())
