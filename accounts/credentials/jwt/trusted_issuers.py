"""Tokens of external issuers that the settings trust: an issuer with public keys (TRUSTED_ISSUER…), or a Better Auth
server that shares its secret with this site (BETTER_AUTH…).

They identify the user by email address. The account must exist and be approved like any other; an address that the
issuer marks as unverified is rejected.
"""

import hmac
import json
import time
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import Request, urlopen

import jwt
from django.conf import settings

from accounts.credentials.jwt.tokens import API_AUDIENCE, LEEWAY, InvalidToken
from accounts.credentials.principal import Caller
from accounts.models import User
from accounts.scopes import DEFAULT_SCOPES

COOKIES = ("better-auth.session_token", "__Secure-better-auth.session_token")
TIMEOUT = 2.0  # seconds
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
    except (jwt.PyJWTError, ValueError, RecursionError):
        return False
    if header.get("typ") == f"{API_AUDIENCE}+jwt":
        return False
    return bool(settings.BETTER_AUTH_SECRET or (settings.TRUSTED_ISSUER and issuer == settings.TRUSTED_ISSUER))


def bearer_of(token: str) -> Caller:
    """The caller that the token identifies. Raises `InvalidToken`."""
    try:
        claims = _issuer_claims(token) if _is_from_issuer(token) else _better_auth_claims(token)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise InvalidToken(f"Verification failed: {error}.") from None
    return _caller(claims.get("user", claims), datetime.fromtimestamp(claims["exp"], UTC))


def _is_from_issuer(token: str) -> bool:
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    return bool(settings.TRUSTED_ISSUER) and issuer == settings.TRUSTED_ISSUER


def _caller(user: Any, expires: datetime | None) -> Caller:
    """The caller that the `user` claims identify. Such tokens have no scopes, so they get the default ones."""
    if not isinstance(user, dict) or not isinstance(user.get("email"), str):
        raise InvalidToken("The token has no “email” claim.")
    if user.get("email_verified", user.get("emailVerified", True)) is not True:
        raise InvalidToken("The token's email address isn't verified.")
    return Caller(user_by_email(user["email"]), DEFAULT_SCOPES, expires=expires)


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
    global _fetched_at
    age = time.monotonic() - _fetched_at
    if age > KEYS_MAX_AGE or (kid not in _keys and age > KEYS_FETCH_INTERVAL):
        _fetched_at = time.monotonic()
        jwks = _fetch(settings.TRUSTED_ISSUER_JWKS_URL, {})
        _keys.clear()
        _keys.update({key.key_id: key for key in jwt.PyJWKSet.from_dict(jwks).keys if key.key_id})
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
    if not hmac.compare_digest(signature, expected):
        raise InvalidToken("The session isn't signed by this site's Better Auth server.")
    if not settings.BETTER_AUTH_URL:
        raise InvalidToken("Can't check the session: BETTER_AUTH_URL isn't set.")
    name = COOKIES[1] if settings.BETTER_AUTH_URL.startswith("https:") else COOKIES[0]
    url = f"{settings.BETTER_AUTH_URL.rstrip('/')}/api/auth/get-session?disableCookieCache=true"
    body = _fetch(url, {"Cookie": f"{name}={quote(cookie, safe='')}"})
    if not body:
        raise InvalidToken("The session has ended.")
    return _caller(body.get("user"), None)


def _fetch(url: str, headers: dict[str, str]) -> Any:
    """Fetch JSON from the issuer's configured URL. Raises `InvalidToken` if that fails."""
    try:
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as response:  # noqa: S310
            return json.loads(response.read(1_000_000))
    except (OSError, ValueError) as error:
        raise InvalidToken(f"Couldn't reach the token's issuer: {error}.") from None
