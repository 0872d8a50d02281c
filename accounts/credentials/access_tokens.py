"""Access tokens: JSON Web Tokens that open the API for a quarter of an hour, and what they are made from.

Each says which kept token it was made from (`sid`), and holds as long as that one does. One that somebody else signs
with JWT_SECRET has none and holds until it expires; its `sub` may be an e-mail address.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.tokens import InvalidToken
from accounts.credentials.principal import Caller
from accounts.models import Token, User
from accounts.scopes import UnknownScope, scopes_of, text_of


@dataclass(frozen=True)
class TokenGrant:
    """What a program is given, under the names of RFC 6749."""

    access_token: str
    expires_in: int  # seconds
    scope: str
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105  (no password)


def log_in(user: User, scopes: frozenset[str], name: str) -> TokenGrant:
    """A first access token, and the refresh token for the next. Raises `PermissionDenied`, `TooManyTokens`."""
    lifetime = timedelta(days=settings.REFRESH_TOKEN_DAYS)
    token, text = Token.create(user, Token.Kind.REFRESH, name, scopes, lifetime)
    return grant(token, scopes, refresh_token=text)


def grant(token: Token, scopes: frozenset[str], refresh_token: str | None = None) -> TokenGrant:
    """An access token from one that is kept, never with more scopes than it has. Raises `PermissionDenied`."""
    scopes &= token.scope_set
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_MINUTES)
    if token.expires_at:
        lifetime = min(lifetime, token.expires_at - timezone.now())
    text = tokens.issue(token.user, tokens.API_AUDIENCE, lifetime, scope=text_of(scopes), sid=str(token.pk))
    return TokenGrant(text, int(lifetime.total_seconds()), text_of(scopes), refresh_token)


def refresh(text: str) -> TokenGrant:
    """The next access and refresh token; the one given holds no more. Raises `InvalidToken`, `PermissionDenied`.

    A refresh token that comes a second time was stolen, or its thief came first: nobody can tell which, so all that was
    made of it ends (RFC 9700 §4.14.2).
    """
    token, is_current = Token.find(text, Token.Kind.REFRESH)
    if token is None:
        raise InvalidToken("The refresh token is not one of this site's.")
    if not token.is_active:
        raise InvalidToken(f"The refresh token {_refusal_reason(token)}.")
    renewed = token.renew(timedelta(days=settings.REFRESH_TOKEN_DAYS)) if is_current else None
    if renewed is None:
        token.revoke()
        raise InvalidToken("The refresh token was used before, so it was revoked.")
    return grant(token, token.scope_set, refresh_token=renewed)


def revoke(text: str) -> None:
    """End the token of this text, of whatever kind, and all that was made from it. Nothing happens if it is none."""
    for kind in Token.Kind:
        token, is_right = Token.find(text, kind)
        if token and is_right:
            token.revoke()
            return
    with suppress(InvalidToken):
        if kept := bearer_of_access_token(text).token:
            Token.objects.get(pk=kept).revoke()


def bearer_of_access_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    claims = tokens.verify(text, tokens.API_AUDIENCE)
    try:
        scopes = scopes_of(str(claims.all.get("scope", "")))
    except UnknownScope as error:
        raise InvalidToken(str(error)) from None
    if "sid" not in claims.all:
        return Caller(tokens.bearer_of(claims), scopes, expires=claims.expires)
    token = Token.objects.with_user().filter(pk=_uuid(claims.all["sid"])).first()
    if token is None or token.user_id != claims.subject:
        raise InvalidToken("Its account, or what it was made from, is gone.")
    if not token.is_active:
        raise InvalidToken(f"What the token was made from {_refusal_reason(token)}.")
    return Caller(token.user, scopes & token.scope_set, str(token.pk), claims.expires)


def bearer_of_api_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    token, is_right = Token.find(text, Token.Kind.API)
    if token is None or not is_right:
        raise InvalidToken("It is not a token of this site.")
    if not token.is_active:
        raise InvalidToken(f"The token {_refusal_reason(token)}.")
    token.record_use()
    return Caller(token.user, token.scope_set, str(token.pk), token.expires_at)


def _refusal_reason(token: Token) -> str:
    return "has expired" if token.is_expired and not token.revoked_at else "was revoked"


def _uuid(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise InvalidToken("What it was made from has no name.") from None
