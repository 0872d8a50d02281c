"""Tokens of somebody else's making, where the settings say that they are believed: an issuer with public keys
(TRUSTED_ISSUER…), or a Better Auth server with which this site shares the secret (BETTER_AUTH…).

They say whose they are by e-mail address. The account must be here, and approved, as everybody's; nobody is let in
whose address the issuer itself says is not verified.
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
from accounts.scopes import ALL

COOKIES = ("better-auth.session_token", "__Secure-better-auth.session_token")
TIMEOUT = 2.0  # seconds
KEYS_CACHED = 300.0
"""Seconds; an issuer's keys are asked for anew after that, or for a key that is not among them."""
KEYS_FETCH_INTERVAL = 30.0
"""Seconds, whatever unknown keys are named: nobody makes this site ask the issuer for every token."""


def user_with(email: str) -> User:
    """Raises `InvalidToken`."""
    user = User.objects.defer("password").filter(email__iexact=email).first()
    if user is None:
        raise InvalidToken(f"There is no account {email} here. Sign up with this address.")
    return user


def is_from_trusted_issuer(token: str) -> bool:
    """Whether it is to be believed, or not, by what is known of another issuer."""
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    except (jwt.PyJWTError, ValueError, RecursionError):
        return False
    if header.get("typ") == f"{API_AUDIENCE}+jwt":
        return False
    return bool(settings.BETTER_AUTH_SECRET or (settings.TRUSTED_ISSUER and issuer == settings.TRUSTED_ISSUER))


def bearer_of(token: str) -> Caller:
    """Raises `InvalidToken`."""
    try:
        claims = _trusted(token) if _names_issuer(token) else _better_auth(token)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise InvalidToken(f"The token is not valid here: {error}.") from None
    return _caller(claims.get("user", claims), datetime.fromtimestamp(claims["exp"], UTC))


def _names_issuer(token: str) -> bool:
    issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
    return bool(settings.TRUSTED_ISSUER) and issuer == settings.TRUSTED_ISSUER


def _caller(user: Any, expires: datetime | None) -> Caller:
    """`user` are the claims about them. They have no scopes of this site, so what the user may do they may."""
    if not isinstance(user, dict) or not isinstance(user.get("email"), str):
        raise InvalidToken("It does not say whose it is: there is no “email” in it.")
    if user.get("email_verified", user.get("emailVerified", True)) is not True:
        raise InvalidToken("The address in it is not verified.")
    return Caller(user_with(user["email"]), ALL, expires=expires)


# --- An issuer with public keys -----------------------------------------------------------------------------------


def _trusted(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        _issuers_key(jwt.get_unverified_header(token).get("kid")),
        algorithms=[settings.TRUSTED_ISSUER_ALGORITHM],
        audience=settings.TRUSTED_ISSUER_AUDIENCE or settings.SITE_URL,
        issuer=settings.TRUSTED_ISSUER,
        leeway=LEEWAY,
        options={"require": ["iss", "aud", "exp"]},
    )
    return claims


_keys: dict[str, jwt.PyJWK] = {}
_fetched_at = float("-inf")


def _issuers_key(kid: str | None) -> jwt.PyJWK:
    global _fetched_at
    since = time.monotonic() - _fetched_at
    if since > KEYS_CACHED or (kid not in _keys and since > KEYS_FETCH_INTERVAL):
        _fetched_at = time.monotonic()
        answer = _fetch(settings.TRUSTED_ISSUER_JWKS_URL, {})
        _keys.clear()
        _keys.update({key.key_id: key for key in jwt.PyJWKSet.from_dict(answer).keys if key.key_id})
    if kid not in _keys:
        raise jwt.InvalidTokenError("its key is not one of the issuer's")
    return _keys[kid]


# --- Better Auth, by its secret -----------------------------------------------------------------------------------


def _better_auth(token: str) -> dict[str, Any]:
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
    """The cookie is a session's id and its signature, and only the Better Auth server knows whose session that is.

    Raises `InvalidToken`.
    """
    if cookie.count(".") == 2:
        return bearer_of(cookie)
    session, _, signature = cookie.rpartition(".")
    expected = b64encode(hmac.digest(settings.BETTER_AUTH_SECRET.encode(), session.encode(), "sha256")).decode()
    if not hmac.compare_digest(signature, expected):
        raise InvalidToken("The session is not signed by the Better Auth server that this site knows.")
    if not settings.BETTER_AUTH_URL:
        raise InvalidToken("This site cannot ask whose session it is: BETTER_AUTH_URL is not set.")
    name = COOKIES[1] if settings.BETTER_AUTH_URL.startswith("https:") else COOKIES[0]
    url = f"{settings.BETTER_AUTH_URL.rstrip('/')}/api/auth/get-session?disableCookieCache=true"
    answer = _fetch(url, {"Cookie": f"{name}={quote(cookie, safe='')}"})
    if not answer:
        raise InvalidToken("The session has ended.")
    return _caller(answer.get("user"), None)


def _fetch(url: str, headers: dict[str, str]) -> Any:
    """JSON from the issuer, whose address the operator set. Raises `InvalidToken` if it does not answer."""
    try:
        with urlopen(Request(url, headers=headers), timeout=TIMEOUT) as answer:  # noqa: S310
            return json.loads(answer.read(1_000_000))
    except (OSError, ValueError) as error:
        raise InvalidToken(f"The issuer of the token cannot be asked: {error}.") from None
