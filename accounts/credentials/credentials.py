"""Authentication of every HTTP request and WebSocket: from its credentials to a `Caller`.

The first of these counts: `Authorization: Bearer` or `Basic`, the header `kyutai-api-key`, a WebSocket subprotocol,
`auth_id` or `token` in the query, and a browser's cookies, which are accepted only from the site's own pages. Invalid
credentials are rejected even if valid ones follow.
"""

import base64
import binascii
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, QueryDict, parse_cookie
from django.http.request import split_domain_port, validate_host

from accounts.credentials import access_tokens, token_cache
from accounts.credentials.jwt import trusted_issuers
from accounts.credentials.jwt.tokens import InvalidToken
from accounts.credentials.principal import AccessDenied, Caller, NotAuthenticated, approval_problem
from accounts.metrics import AUTH_ERRORS
from accounts.models import Token, User
from accounts.scopes import DEFAULT_SCOPES, STT, TTS

logger = logging.getLogger(__name__)

HEADER = "kyutai-api-key"
AUTHORIZATION_SCHEMES = ("bearer", "token")
"""Deepgram's clients send “Token”."""
BROWSER_HEADERS = ("sec-fetch-site", "origin")
QUERY_PARAMETERS = ("auth_id", "token")
SUBPROTOCOLS = ("bearer", "token")
"""`new WebSocket(url, ["bearer", TOKEN])`: browsers cannot set headers, and URLs are logged."""
OPENAI_SUBPROTOCOL = "openai-insecure-api-key."
"""Prefix of the token in the subprotocols of OpenAI's browser clients, which offer their own subprotocol first."""
PUBLIC_REJECTED = (
    "This is the default token of Kyutai's clients, such as Unmute. Give the client a token of an account, "
    "or set PUBLIC_TOKEN_EMAIL to the account that the site uses for it."
)
MAX_LENGTH = 8_000  # characters of a token from any issuer


@dataclass(frozen=True)
class Credentials:
    token: str | None = None
    subprotocol: str | None = None
    """Subprotocol that the server must select when it accepts the WebSocket, because the browser offered it."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Empty unless the request comes from one of the site's own pages."""

    @property
    def asks_issuer(self) -> bool:
        """Whether `caller_of` may wait for an external issuer's server, for up to two seconds."""
        if self.token is not None:
            return len(self.token) <= MAX_LENGTH and trusted_issuers.is_from_trusted_issuer(self.token)
        return trusted_issuers.session_cookie(self.cookies) is not None

    @classmethod
    def of_request(cls, request: HttpRequest, in_query: bool = True) -> "Credentials":
        headers = {name.lower(): value for name, value in request.headers.items()}
        token = _first(_in_headers(headers), _in_query(request.GET) if in_query else None)
        return cls(token, None, request.COOKIES if is_same_origin(headers) else {})

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> "Credentials":
        """Read the credentials from a WebSocket's ASGI scope."""
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        subprotocol, offered = _in_subprotocols(scope.get("subprotocols", ()))
        token = _first(_in_headers(headers), offered, _in_query(QueryDict(scope["query_string"])))
        return cls(token, subprotocol, parse_cookie(headers.get("cookie", "")) if is_same_origin(headers) else {})


def _first(*tokens: str | None) -> str | None:
    """The first token that was sent, even if it is empty."""
    return next((token for token in tokens if token is not None), None)


def _in_headers(headers: Mapping[str, str]) -> str | None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() in AUTHORIZATION_SCHEMES:
        return token.strip()
    basic = _in_basic(token, headers) if scheme.lower() == "basic" else None
    return headers.get(HEADER) if basic is None else basic


def _in_basic(encoded: str, headers: Mapping[str, str]) -> str | None:
    """An API token as the password of `Basic`, which programs send for a URL such as `wss://token:dsm_…@HOST/vosk`.

    Any other password is that of a proxy before the site. Browsers, which send one with other sites' requests too, are
    excluded by headers that only they send.
    """
    if any(name in headers for name in BROWSER_HEADERS):
        return None
    try:
        password = base64.b64decode(encoded, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return None
    return password if password.startswith(Token.PREFIXES[Token.Kind.API]) else None


def _in_query(query: Mapping[str, str]) -> str | None:
    return next((query[name] for name in QUERY_PARAMETERS if name in query), None)


def _in_subprotocols(offered: list[str]) -> tuple[str | None, str | None]:
    if len(offered) > 1 and offered[0].lower() in SUBPROTOCOLS:
        return offered[0], offered[1]
    token = next(
        (name.removeprefix(OPENAI_SUBPROTOCOL) for name in offered if name.startswith(OPENAI_SUBPROTOCOL)), None
    )
    return (offered[0], token) if token else (None, None)


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether the site's own page sent the request. Browsers send `Origin` with WebSockets and unsafe methods."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    is_own_host = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return is_own_host and urlsplit(origin).netloc == host


def caller_of(credentials: Credentials) -> Caller:
    """Authenticate the caller, from the cache for a few seconds, then from the database. Raises `AccessDenied`."""
    try:
        return _caller_of(credentials)
    except NotAuthenticated:
        AUTH_ERRORS.labels("token").inc()
        raise


def _caller_of(credentials: Credentials) -> Caller:
    if credentials.token is not None:
        return token_cache.cached_caller(credentials.token, _bearer_of)
    if cookie := trusted_issuers.session_cookie(credentials.cookies):
        return token_cache.cached_caller(cookie, _bearer_of_cookie)
    caller = _logged_in(credentials.cookies)
    if caller is None:
        raise NotAuthenticated("No credentials were sent.")
    return _approved(caller)


def _bearer_of(token: str) -> Caller:
    try:
        caller = _verify(token)
    except InvalidToken as error:
        raise NotAuthenticated(error.why) from None
    return _approved(caller)


def _bearer_of_cookie(cookie: str) -> Caller:
    try:
        return _approved(trusted_issuers.bearer_of_session(cookie))
    except InvalidToken as error:
        raise NotAuthenticated(error.why) from None


def _verify(token: str) -> Caller:
    """Raises `InvalidToken`."""
    if not token:
        raise InvalidToken("The token is empty.")
    if len(token) > MAX_LENGTH:
        raise InvalidToken("The token is too long.")
    if token == settings.PUBLIC_TOKEN:
        if not settings.PUBLIC_TOKEN_EMAIL:
            _log_public_token()
            raise InvalidToken(PUBLIC_REJECTED)
        user = trusted_issuers.user_by_email(settings.PUBLIC_TOKEN_EMAIL)
        return Caller(user, frozenset({STT, TTS}), is_public=True)
    if token.startswith(Token.PREFIXES[Token.Kind.API]):
        return access_tokens.bearer_of_api_token(token)
    if trusted_issuers.is_from_trusted_issuer(token):
        return trusted_issuers.bearer_of(token)
    return access_tokens.bearer_of_access_token(token)


@cache
def _log_public_token() -> None:
    """Log once per process why Kyutai's clients are rejected. moshi-server sends no reason, so they show none."""
    logger.warning("%s", PUBLIC_REJECTED)


def _approved(caller: Caller) -> Caller:
    if not caller.user.is_approved:
        raise AccessDenied(**approval_problem(caller.user))
    return caller


def _logged_in(cookies: Mapping[str, str]) -> Caller | None:
    """The user who is logged in in a browser, looked up as in Django's middleware."""
    request = HttpRequest()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(cookies.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    key = request.session.session_key or ""
    return Caller(user, DEFAULT_SCOPES, session_key=key) if isinstance(user, User) else None
