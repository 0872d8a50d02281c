"""Tokens of external issuers that the settings trust: an issuer with public keys (TRUSTED_ISSUER…), or a Better Auth
server that shares its secret with this site (BETTER_AUTH…).

They identify the user by email address. The account must exist and be approved like any other; an address that the
issuer marks as unverified is rejected. If this site confirms addresses, the account must have confirmed its own.
"""

import hmac
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import jwt
from django.conf import settings

from accounts import email_addresses
from accounts.credentials.jwt.issuer_request import fetch_json
from accounts.credentials.jwt.tokens import (
    API_AUDIENCE,
    LEEWAY,
    MALFORMED,
    UNCONFIRMED,
    InvalidToken,
    check_issued,
    check_text,
    printable,
    time_of,
)
from accounts.credentials.principal import Caller
from accounts.models import User
from accounts.scopes import DEFAULT_SCOPES

COOKIES = ("better-auth.session_token", "__Secure-better-auth.session_token")
KEYS_MAX_AGE = 300.0
"""Seconds after which the issuer's keys are fetched again; an unknown key causes an earlier fetch."""
KEYS_FETCH_INTERVAL = 30.0
"""Minimum seconds between two fetches, so that tokens with unknown keys cannot cause one request each."""


def user_by_email(email: str) -> User:
    """The account with this address. Raises `InvalidToken`."""
    user = User.objects.defer("password").filter(email__iexact=email).first()
    if user is None:
        raise InvalidToken(f"No account for {email}. Sign up with this address.")
    return user


def is_from_trusted_issuer(token: str) -> bool:
    """Whether the token must be verified as one of an external issuer."""
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except MALFORMED:
        return False
    if header.get("typ") == f"{API_AUDIENCE}+jwt":
        return False
    return bool(settings.BETTER_AUTH_SECRET or (settings.TRUSTED_ISSUER and issuer == settings.TRUSTED_ISSUER))


def bearer_of(token: str) -> Caller:
    """The caller that the token identifies. Raises `InvalidToken`."""
    try:
        claims = _issuer_claims(token) if _is_from_issuer(token) else _better_auth_claims(token)
        check_text(claims)
        expires = time_of(claims, "exp")
        issued = time_of(claims, "iat") if "iat" in claims else None
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except MALFORMED as error:
        raise InvalidToken(f"Verification failed: {printable(error)}.") from None
    caller = _caller(claims.get("user", claims), expires)
    if issued and caller.user.is_approved:
        check_issued(caller.user, issued)
    return caller


def _is_from_issuer(token: str) -> bool:
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    return bool(settings.TRUSTED_ISSUER) and issuer == settings.TRUSTED_ISSUER


def _caller(user: Any, expires: datetime | None) -> Caller:
    """The caller that the `user` claims identify. Such tokens have no scopes, so they get the default ones."""
    if not isinstance(user, dict) or not isinstance(user.get("email"), str):
        raise InvalidToken("The token has no “email” claim.")
    if any(user[name] is not True for name in ("email_verified", "emailVerified") if name in user):
        raise InvalidToken("The token's email address isn't verified.")
    account = user_by_email(user["email"])
    if not email_addresses.identifies(account):
        raise InvalidToken(UNCONFIRMED)
    return Caller(account, DEFAULT_SCOPES, expires=expires)


# --- An issuer with public keys -----------------------------------------------------------------------------------


def _issuer_claims(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        _issuer_key(jwt.get_unverified_header(token).get("kid")),
        algorithms=[settings.TRUSTED_ISSUER_ALGORITHM],
        audience=settings.TRUSTED_ISSUER_AUDIENCE or settings.SITE_URL,
        issuer=settings.TRUSTED_ISSUER,
        leeway=LEEWAY,
        options={"require": ["iss", "aud", "exp"]},
    )
    return claims


_keys: dict[str, jwt.PyJWK] = {}
_fetched_at = float("-inf")


def _issuer_key(kid: str | None) -> jwt.PyJWK:
    global _fetched_at, _keys
    age = time.monotonic() - _fetched_at
    if age > KEYS_MAX_AGE or (kid not in _keys and age > KEYS_FETCH_INTERVAL):
        _fetched_at = time.monotonic()
        jwks = fetch_json(settings.TRUSTED_ISSUER_JWKS_URL)
        _keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id}
    if kid not in _keys:
        raise jwt.InvalidTokenError("unknown signing key")
    return _keys[kid]


# --- Better Auth, by its secret -----------------------------------------------------------------------------------


def _better_auth_claims(token: str) -> dict[str, Any]:
    """A JWT that is signed with the secret itself, as in Better Auth's cookie cache."""
    claims: dict[str, Any] = jwt.decode(
        token,
        settings.BETTER_AUTH_SECRET,
        algorithms=["HS256"],
        leeway=LEEWAY,
        options={"require": ["exp"], "verify_aud": False},
    )
    return claims


def session_cookie(cookies: Mapping[str, str]) -> str | None:
    if not settings.BETTER_AUTH_SECRET:
        return None
    return next((unquote(cookies[name]) for name in COOKIES if name in cookies), None)


def bearer_of_session(cookie: str) -> Caller:
    """The caller of a Better Auth session. The cookie has only the session's id and signature, so the user is looked
    up on the Better Auth server. Raises `InvalidToken`."""
    if cookie.count(".") == 2:
        return bearer_of(cookie)
    session, _, signature = cookie.rpartition(".")
    expected = b64encode(hmac.digest(settings.BETTER_AUTH_SECRET.encode(), session.encode(), "sha256")).decode()
    if not hmac.compare_digest(signature.encode(), expected.encode()):
        raise InvalidToken("The session isn't signed by this site's Better Auth server.")
    if not settings.BETTER_AUTH_URL:
        raise InvalidToken("Can't check the session: BETTER_AUTH_URL isn't set.")
    name = COOKIES[1] if settings.BETTER_AUTH_URL.startswith("https:") else COOKIES[0]
    url = f"{settings.BETTER_AUTH_URL.rstrip('/')}/api/auth/get-session?disableCookieCache=true"
    body = fetch_json(url, {"Cookie": f"{name}={quote(cookie, safe='')}"})
    if not isinstance(body, dict):
        raise InvalidToken("The session has ended.")
    try:
        check_text(body)
    except MALFORMED as error:
        raise InvalidToken(f"Verification failed: {error}.") from None
    return _caller(body.get("user"), None)
