"""Responses to requests that no view gets."""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from accounts.credentials.principal import AccessDenied
from dsm_site.api_errors import PREFIXES, json_response
from dsm_site.default_headers import HEADERS, NO_STORE

PAGE = "<!doctype html><title>{what}</title><h1>{what}</h1><p>{why} {action}</p>"


def rejection(path: str, error: AccessDenied, *, has_body: bool) -> bytes:
    """A whole HTTP response. `has_body` is False for a HEAD request."""
    if path.startswith(PREFIXES):
        response = json_response(path, error)
        content_type, body = response.headers["Content-Type"], response.content
    else:
        page = PAGE.format(what=escape(error.what), why=escape(error.why), action=escape(error.action))
        content_type, body = "text/html; charset=utf-8", page.encode()
    headers = {"Content-Type": content_type}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return last_response(error.status, headers, body, has_body=has_body)


def last_response(status: HTTPStatus, own_headers: Mapping[str, str], body: bytes, *, has_body: bool = True) -> bytes:
    """A whole HTTP response, after which the connection ends."""
    headers = {
        "Content-Length": len(body),
        "Content-Security-Policy": "default-src 'none'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": NO_STORE,
        **HEADERS,
        "Connection": "close",
        **own_headers,
    }
    lines = [f"HTTP/1.1 {status:d} {status.phrase}", *(f"{name}: {headers[name]}" for name in headers)]
    return "\r\n".join([*lines, "", ""]).encode() + (body if has_body else b"")
