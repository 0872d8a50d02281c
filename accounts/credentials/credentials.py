"""The one way from what a request or a socket brings to a `Caller`.

What counts is the first of: `Authorization: Bearer`, the header `kyutai-api-key`, a WebSocket subprotocol, `auth_id` or
`token` in the query, and the cookies of a browser, these from the site's own pages only. What is there and wrong is
refused, whatever else there is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
from accounts.scopes import ALL, STT, TTS

HEADER = "kyutai-api-key"
IN_AUTHORIZATION = ("bearer", "token")
"""Deepgram's clients say “Token”."""
IN_QUERY = ("auth_id", "token")
SUBPROTOCOLS = ("bearer", "token")
"""`new WebSocket(url, ["bearer", TOKEN])`: browsers can set no header, and a subprotocol is not logged as a URL is."""
OPENAI_SUBPROTOCOL = "openai-insecure-api-key."
"""OpenAI's clients in browsers offer their own subprotocol first, and the token with this before it."""
MAX_LENGTH = 8_000  # characters of a token, whoever made it


@dataclass(frozen=True)
class Credentials:
    token: str | None = None
    subprotocol: str | None = None
    """To be named when the socket is accepted, since the browser offered it."""
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Empty unless they come from a page of the site's own."""

    @classmethod
    def of_request(cls, request: HttpRequest, in_query: bool = True) -> "Credentials":
        headers = {name.lower(): value for name, value in request.headers.items()}
        token = _first(_in_headers(headers), _in_query(request.GET) if in_query else None)
        return cls(token, None, request.COOKIES if is_same_origin(headers) else {})

    @classmethod
    def of_scope(cls, scope: Mapping[str, Any]) -> "Credentials":
        """`scope` is ASGI's, of a WebSocket."""
        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        subprotocol, offered = _in_subprotocols(scope.get("subprotocols", ()))
        token = _first(_in_headers(headers), offered, _in_query(QueryDict(scope["query_string"])))
        return cls(token, subprotocol, parse_cookie(headers.get("cookie", "")) if is_same_origin(headers) else {})


def _first(*tokens: str | None) -> str | None:
    """The first that is there, be it empty."""
    return next((token for token in tokens if token is not None), None)


def _in_headers(headers: Mapping[str, str]) -> str | None:
    kind, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() in IN_AUTHORIZATION else headers.get(HEADER)


def _in_query(query: Mapping[str, str]) -> str | None:
    return next((query[name] for name in IN_QUERY if name in query), None)


def _in_subprotocols(offered: list[str]) -> tuple[str | None, str | None]:
    if len(offered) > 1 and offered[0].lower() in SUBPROTOCOLS:
        return offered[0], offered[1]
    token = next(
        (name.removeprefix(OPENAI_SUBPROTOCOL) for name in offered if name.startswith(OPENAI_SUBPROTOCOL)), None
    )
    return (offered[0], token) if token else (None, None)


def is_same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of this very site asks. Browsers say so of every socket, and of whatever may change something."""
    origin, host = headers.get("origin", ""), headers.get("host", "")
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    is_ours = validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS)
    return is_ours and urlsplit(origin).netloc == host


def caller_of(credentials: Credentials) -> Caller:
    """Raises `Refused`. Asks the database, unless it said of the same token the same a few seconds ago."""
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
    user = _logged_in(credentials.cookies)
    if user is None:
        raise NotAuthenticated("Nothing came that says who calls.")
    return _approved(Caller(user, ALL))


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
        raise InvalidToken("It is empty.")
    if len(token) > MAX_LENGTH:
        raise InvalidToken("It is too long for a token.")
    if settings.PUBLIC_TOKEN_EMAIL and token == settings.PUBLIC_TOKEN:
        return Caller(trusted_issuers.user_with(settings.PUBLIC_TOKEN_EMAIL), frozenset({STT, TTS}))
    if token.startswith(Token.PREFIXES[Token.Kind.API]):
        return access_tokens.bearer_of_api_token(token)
    if trusted_issuers.is_from_trusted_issuer(token):
        return trusted_issuers.bearer_of(token)
    return access_tokens.bearer_of_access_token(token)


def _approved(caller: Caller) -> Caller:
    if not caller.user.is_approved:
        raise AccessDenied(**approval_problem(caller.user))
    return caller


def _logged_in(cookies: Mapping[str, str]) -> User | None:
    """Whose browser it is, as Django's own middleware finds it."""
    request = HttpRequest()
    store = import_module(settings.SESSION_ENGINE).SessionStore
    request.session = store(cookies.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    return user if isinstance(user, User) else None
