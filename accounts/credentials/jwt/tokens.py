"""The site's JSON Web Tokens: short-lived, for one audience, signed with the keys of `keys.py`.

`kid` names the key, so tokens signed with an older key remain valid after a rotation. Follows RFC 8725: one algorithm,
an explicit type, every claim required and checked, separate keys for this use (docs/security.md).
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied

from accounts.credentials.jwt.keys import Key, keys
from accounts.models import User

REQUIRED_CLAIMS = ["iss", "aud", "sub", "status", "iat", "exp", "jti"]
LEEWAY = timedelta(seconds=5)
"""Maximum clock difference between two web processes."""
MAX_LENGTH = 2_000  # characters; the site's own tokens have 400 with HS256 and 900 with RS256

API_AUDIENCE = "api"
TICKET_AUDIENCE = "live"
TICKET_LIFETIME = timedelta(seconds=30)


class InvalidToken(Exception):
    """The token is not valid; `why` and `str()` give the reason."""

    what = "Invalid token."
    action = "Request a new one."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Claims:
    subject: int | str
    """The user's primary key, or the email address if a third party signed the token with JWT_SECRET."""
    status: str
    id: str
    expires: datetime
    raw: dict[str, Any]
    """All claims of the token."""


def issue(user: User, audience: str, lifetime: timedelta, **extra_claims: Any) -> str:
    """Sign a token for the user. Raises `PermissionDenied` if the user is not approved."""
    if not user.is_approved:
        raise PermissionDenied("No token issued: the account isn't approved. Check your account status.")
    now = datetime.now(UTC)
    key = keys()[0]
    claims = {
        **extra_claims,
        "iss": settings.SITE_URL,
        "aud": audience,
        "sub": str(user.pk),
        "status": user.status,
        "iat": now,
        "exp": now + lifetime,
        "jti": secrets.token_urlsafe(16),
    }
    return jwt.encode(claims, key.signing_key, key.algorithm, headers=_header(key, audience))


def verify(token: str, audience: str) -> Claims:
    """Check signature and claims, not whether the user is still approved. Raises `InvalidToken`."""
    if not token:
        raise InvalidToken("No token was sent.")
    if len(token) > MAX_LENGTH:
        raise InvalidToken("The token is too long.")
    try:
        key = _key_for(token, audience)
        claims = jwt.decode(
            token,
            key.verification_key,
            algorithms=[key.algorithm],
            audience=audience,
            issuer=settings.SITE_URL,
            leeway=LEEWAY,
            options={"require": REQUIRED_CLAIMS, "strict_aud": True},
        )
        return _claims(claims)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except (jwt.PyJWTError, ValueError) as error:
        raise InvalidToken(f"Verification failed: {error}.") from None


def redeem(token: str, audience: str) -> Claims:
    """Verify a single-use token. Only the first use succeeds, across all processes."""
    claims = verify(token, audience)
    lifetime = claims.expires + LEEWAY - datetime.now(UTC)
    if not cache.add(f"token-used-{claims.id}", True, timeout=lifetime.total_seconds() + 1):
        raise InvalidToken("The token was already used.")
    return claims


def bearer_of(claims: Claims) -> User:
    """The account, approved or not. Raises `InvalidToken` if it does not exist."""
    lookup = {"email__iexact": claims.subject} if isinstance(claims.subject, str) else {"pk": claims.subject}
    user = User.objects.defer("password").filter(**lookup).first()
    if user is None:
        raise InvalidToken("Its account no longer exists.")
    return user


def _header(key: Key, audience: str) -> dict[str, str]:
    """The expected header. A type per audience prevents using a token for another audience."""
    return {"alg": key.algorithm, "kid": key.id, "typ": f"{audience}+jwt"}


def _key_for(token: str, audience: str) -> Key:
    header = jwt.get_unverified_header(token)
    for key in keys():
        if header == _header(key, audience):
            return key
    raise jwt.InvalidTokenError("wrong token type, or signed with an unknown key")


def _claims(claims: dict[str, Any]) -> Claims:
    if claims["status"] != User.Status.APPROVED:
        raise jwt.InvalidTokenError("it wasn't issued to an approved account")
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    subject = claims["sub"] if "@" in claims["sub"] else int(claims["sub"])
    return Claims(subject, claims["status"], claims["jti"], expires, claims)
