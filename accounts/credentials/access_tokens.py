"""Access tokens: JSON Web Tokens that give access to the API for a quarter of an hour, and their parent tokens.

The `sid` claim names the stored parent token; the access token is valid only as long as its parent. A token that a
third party signed with JWT_SECRET has no `sid`, is valid until it expires, and may have an email address as its `sub`.
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
    """The response to a token request, with the names of RFC 6749."""

    access_token: str
    expires_in: int  # seconds
    scope: str
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105  (no password)


def log_in(user: User, scopes: frozenset[str], name: str) -> TokenGrant:
    """Issue a first access token and a refresh token. Raises `PermissionDenied`, `TooManyTokens`."""
    lifetime = timedelta(days=settings.REFRESH_TOKEN_DAYS)
    token, text = Token.create(user, Token.Kind.REFRESH, name, scopes, lifetime)
    return grant(token, scopes, refresh_token=text)


def grant(token: Token, scopes: frozenset[str], refresh_token: str | None = None) -> TokenGrant:
    """Issue an access token from a stored token, with no more scopes than that token has. Raises `PermissionDenied`."""
    scopes &= token.scope_set
    lifetime = timedelta(minutes=settings.ACCESS_TOKEN_MINUTES)
    if token.expires_at:
        lifetime = min(lifetime, token.expires_at - timezone.now())
    text = tokens.issue(token.user, tokens.API_AUDIENCE, lifetime, scope=text_of(scopes), sid=str(token.pk))
    return TokenGrant(text, int(lifetime.total_seconds()), text_of(scopes), refresh_token)


def refresh(text: str) -> TokenGrant:
    """Issue the next access and refresh token; the given one stops working. Raises `InvalidToken`, `PermissionDenied`.

    A refresh token that is used twice was stolen, and it is unknown whether the thief or the client used it first, so
    it is revoked together with everything issued from it (RFC 9700 §4.14.2).
    """
    token, is_current = Token.find(text, Token.Kind.REFRESH)
    if token is None:
        raise InvalidToken("Unknown refresh token.")
    if not token.is_active:
        raise InvalidToken(f"The refresh token {_invalid_reason(token)}.")
    renewed = token.renew(timedelta(days=settings.REFRESH_TOKEN_DAYS)) if is_current else None
    if renewed is None:
        token.revoke()
        raise InvalidToken("The refresh token was reused, so it has been revoked.")
    return grant(token, token.scope_set, refresh_token=renewed)


def revoke(text: str) -> None:
    """Revoke the token with this text, of any kind, and everything issued from it. Ignores unknown tokens."""
    for kind in Token.Kind:
        token, is_valid = Token.find(text, kind)
        if token and is_valid:
            token.revoke()
            return
    with suppress(InvalidToken):
        if parent := bearer_of_access_token(text).token:
            Token.objects.get(pk=parent).revoke()


def bearer_of_access_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    claims = tokens.verify(text, tokens.API_AUDIENCE)
    try:
        scopes = scopes_of(str(claims.raw.get("scope", "")))
    except UnknownScope as error:
        raise InvalidToken(str(error)) from None
    if "sid" not in claims.raw:
        return Caller(tokens.bearer_of(claims), scopes, expires=claims.expires)
    token = Token.objects.with_user().filter(pk=_uuid(claims.raw["sid"])).first()
    if token is None or token.user_id != claims.subject:
        raise InvalidToken("Its account or parent token no longer exists.")
    if not token.is_active:
        raise InvalidToken(f"The token's parent {_invalid_reason(token)}.")
    return Caller(token.user, scopes & token.scope_set, str(token.pk), claims.expires)


def bearer_of_api_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    token, is_valid = Token.find(text, Token.Kind.API)
    if token is None or not is_valid:
        raise InvalidToken("The token was not issued by this site.")
    if not token.is_active:
        raise InvalidToken(f"The token {_invalid_reason(token)}.")
    token.record_use()
    return Caller(token.user, token.scope_set, str(token.pk), token.expires_at)


def _invalid_reason(token: Token) -> str:
    return "has expired" if token.is_expired and not token.revoked_at else "was revoked"


def _uuid(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise InvalidToken("The id of its parent token is invalid.") from None
