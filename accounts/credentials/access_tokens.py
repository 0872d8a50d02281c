"""Access tokens: JSON Web Tokens that give access to the API for a quarter of an hour, and their parent tokens.

The `sid` claim names the stored parent token; the access token is valid only as long as its parent. A token that a
third party signed with JWT_SECRET has no `sid`, may have an email address as its `sub`, and is valid until it expires,
unless it was signed before the account's last approval.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.credentials import denied_tokens
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


def issue_secret(caller: Caller, scopes: frozenset[str], lifetime: timedelta) -> tuple[str, datetime]:
    """Issue an access token for a client of the caller's, and its expiry. It ends with what the caller used to request
    it. If that is an API token, the expiry is only of its use: what it has opened continues. Raises
    `PermissionDenied`."""
    expires = timezone.now() + lifetime
    if caller.expires:
        expires = min(expires, caller.expires)
    claims: dict[str, Any] = {"scope": text_of(scopes & caller.scopes)}
    claims |= {"sid": caller.token} if caller.token else {}
    claims |= {"via": caller.jwt_ids[0]} if caller.jwt_ids else {"only_opens": True}
    text = tokens.issue(caller.user, tokens.API_AUDIENCE, expires - timezone.now(), **claims)
    return text, expires


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
    """Revoke the token with this text, of any kind, and everything issued from it, but not what it was issued from.
    Ignores unknown tokens."""
    for kind in Token.Kind:
        token, is_valid = Token.find(text, kind)
        if token and is_valid:
            token.revoke()
            return
    try:
        caller = bearer_of_access_token(text)
    except InvalidToken:
        return
    denied_tokens.deny(caller)


def bearer_of_access_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    claims = tokens.verify(text, tokens.API_AUDIENCE)
    try:
        scopes = scopes_of(str(claims.raw.get("scope", "")))
    except UnknownScope as error:
        raise InvalidToken(str(error)) from None
    ids = (claims.id, *([str(claims.raw["via"])] if "via" in claims.raw else []))
    if denied_tokens.denied(ids):
        raise InvalidToken("The token was revoked.")
    if "sid" not in claims.raw:
        return Caller(tokens.bearer_of(claims), scopes, expires=claims.expires, jwt_ids=ids)
    token = Token.objects.with_user().filter(pk=_uuid(claims.raw["sid"])).first()
    if token is None or token.user_id != claims.subject:
        raise InvalidToken("Its account or parent token no longer exists.")
    _check(token, "The token's parent")
    only_opens = claims.raw.get("only_opens") is True
    return Caller(token.user, scopes & token.scope_set, str(token.pk), claims.expires, ids, only_opens=only_opens)


def bearer_of_api_token(text: str) -> Caller:
    """Raises `InvalidToken`."""
    token, is_valid = Token.find(text, Token.Kind.API)
    if token is None or not is_valid:
        raise InvalidToken("The token was not issued by this site.")
    _check(token, "The token")
    token.record_use()
    return Caller(token.user, token.scope_set, str(token.pk), token.expires_at)


def _check(token: Token, name: str) -> None:
    """Raises `InvalidToken` if the token is not active. Not if it ended with the account's approval: an account that is
    not approved is a different error, which the users of a `Caller` raise."""
    if not token.is_active and (token.user.is_approved or token.revoked_at or token.is_expired):
        raise InvalidToken(f"{name} {_invalid_reason(token)}.")


def _invalid_reason(token: Token) -> str:
    if token.revoked_at:
        return "was revoked"
    return "ended with a new password or a rejection" if token.has_ended else "has expired"


def _uuid(value: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise InvalidToken("The id of its parent token is invalid.") from None
