"""The largest body that a request may have."""

from http import HTTPStatus
from urllib.parse import unquote

from django.urls import Resolver404, resolve

from accounts.credentials.principal import AccessDenied

DEFAULT_BODY = 1024 * 1024
"""Bytes, also without credentials."""


class BodyTooLarge(AccessDenied):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, limit: int) -> None:
        why = f"The limit here is {limit:,} bytes."
        super().__init__("too_large", "The request is too large.", why, "Send less, or split it into parts.")


class NoRoomForBody(AccessDenied):
    status = HTTPStatus.INSUFFICIENT_STORAGE

    def __init__(self) -> None:
        super().__init__("disk_full", "The server can't store the request.", "Its disk is nearly full.", "Try later.")


def largest_body(path: str) -> int:
    """Bytes that a request for `path` may send: `max_body` of its view, which then needs valid credentials before the
    body is read, or else `DEFAULT_BODY`."""
    try:
        view = resolve(unquote(path)).func
    except Resolver404:
        return DEFAULT_BODY
    return max(DEFAULT_BODY, getattr(view, "max_body", 0), getattr(getattr(view, "cls", None), "max_body", 0))
