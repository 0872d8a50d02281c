"""Requests to an external issuer, which end at a deadline however slowly the server sends."""

import json
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from typing import Any
from urllib.request import HTTPHandler, HTTPSHandler, Request, build_opener

from accounts.credentials.jwt.tokens import InvalidToken

TIMEOUT = 2.0  # seconds, from the connection to the last byte
MAX_BYTES = 1_000_000


def fetch_json(url: str, headers: Mapping[str, str] | None = None) -> Any:
    """Fetch JSON from the issuer's configured URL. Raises `InvalidToken` if that fails or takes too long."""
    deadline = time.monotonic() + TIMEOUT
    opener = build_opener(_HttpHandler(deadline), _HttpsHandler(deadline))
    try:
        with opener.open(Request(url, headers=dict(headers or {})), timeout=TIMEOUT) as response:  # noqa: S310
            body = response.read(MAX_BYTES)
        if time.monotonic() >= deadline:
            raise TimeoutError("timed out")
        return json.loads(body)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise InvalidToken(f"Couldn't reach the token's issuer: {error}.") from None


class _Limited:
    """Mixin of a connection: a timeout of the socket limits each read, so a timer limits all of them together."""

    sock: socket.socket

    def __init__(self, deadline: float, *args: Any, **kwargs: Any) -> None:
        self._deadline = deadline
        super().__init__(*args, **kwargs)

    def connect(self) -> None:
        super().connect()  # type: ignore[misc]
        timer = Timer(max(0.0, self._deadline - time.monotonic()), _shut_down, [self.sock])
        timer.daemon = True
        timer.start()


class _HttpConnection(_Limited, HTTPConnection):
    pass


class _HttpsConnection(_Limited, HTTPSConnection):
    pass


class _HttpHandler(HTTPHandler):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._connection = partial(_HttpConnection, deadline)

    def http_open(self, request: Request) -> HTTPResponse:
        return self.do_open(self._connection, request)


class _HttpsHandler(HTTPSHandler):
    def __init__(self, deadline: float) -> None:
        super().__init__()
        self._connection = partial(_HttpsConnection, deadline)

    def https_open(self, request: Request) -> HTTPResponse:
        return self.do_open(self._connection, request)


def _shut_down(connected: socket.socket) -> None:
    with suppress(OSError):  # it is closed already
        connected.shutdown(socket.SHUT_RDWR)
