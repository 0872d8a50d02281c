"""The site's JSON Web Tokens: short-lived, for one audience, signed with the keys of `keys.py`.

`kid` names the key, so tokens signed with an older key remain valid after a rotation. Follows RFC 8725: one algorithm,
an explicit type, every claim required and checked, separate keys for this use (docs/security.md).
"""

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import PermissionDenied

from accounts import email_addresses
from accounts.credentials.jwt.keys import Key, keys
from accounts.models import User

REQUIRED_CLAIMS = ["iss", "aud", "sub", "status", "iat", "exp", "jti"]
LEEWAY = timedelta(seconds=5)
"""Maximum clock difference between two web processes."""
MAX_LENGTH = 2_000  # characters; the site's own tokens have 400 with HS256 and 900 with RS256

API_AUDIENCE = "api"
TICKET_AUDIENCE = "live"
TICKET_LIFETIME = timedelta(seconds=30)

UNCONFIRMED = "Its account hasn't confirmed its email address. Log in to it and open its Email page."
MALFORMED = (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError)
"""What reading a token may raise."""
LATEST = datetime(9000, 1, 1, tzinfo=UTC)
"""Times that leave room for calculations with them."""


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
    issued: datetime
    expires: datetime
    raw: dict[str, Any]
    """All claims of the token."""


def issue(user: User, audience: str, lifetime: timedelta, **extra_claims: Any) -> str:
    """Sign a token for the user, which ends with all other credentials of the user. Raises `PermissionDenied` if the
    user is not approved."""
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
        "epoch": user.credentials_epoch,
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
    except MALFORMED as error:
        raise InvalidToken(f"Verification failed: {printable(error)}.") from None


def redeem(token: str, audience: str) -> Claims:
    """Verify a single-use token. Only the first use succeeds, across all processes."""
    claims = verify(token, audience)
    lifetime = claims.expires + LEEWAY - datetime.now(UTC)
    if not cache.add(f"token-used-{claims.id}", True, timeout=lifetime.total_seconds() + 1):
        raise InvalidToken("The token was already used.")
    return claims


def bearer_of(claims: Claims) -> User:
    """The account, approved or not. Raises `InvalidToken` if it does not exist, or if its credentials have ended since
    the token was issued."""
    lookup = {"email__iexact": claims.subject} if isinstance(claims.subject, str) else {"pk": claims.subject}
    user = User.objects.defer("password").filter(**lookup).first()
    if user is None:
        raise InvalidToken("Its account no longer exists.")
    if isinstance(claims.subject, str) and not email_addresses.identifies(user):
        raise InvalidToken(UNCONFIRMED)
    if not user.is_approved:
        return user  # a different error, with the reason
    if "epoch" in claims.raw:
        if claims.raw["epoch"] != user.credentials_epoch:
            raise InvalidToken("It ended with a new password or a rejection.")
    else:
        check_issued(user, claims.issued)  # a third party signed it
    return user


def check_issued(user: User, issued: datetime) -> None:
    """Raises `InvalidToken` if the token may be from before a rejection of the user, who is approved now."""
    if user.decided_at and issued < user.decided_at.replace(microsecond=0):  # `iat` is in whole seconds
        raise InvalidToken("It was issued before the account's last approval.")


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
    check_text(claims)
    subject = claims["sub"] if "@" in claims["sub"] else int(claims["sub"])
    return Claims(subject, claims["status"], claims["jti"], time_of(claims, "iat"), time_of(claims, "exp"), claims)


def time_of(claims: dict[str, Any], name: str) -> datetime:
    """The time in a claim. Raises `jwt.InvalidTokenError` if it is no number, or no time between 1970 and 9000."""
    value = claims[name]
    if type(value) not in (int, float) or not 0 <= value < LATEST.timestamp():
        raise jwt.InvalidTokenError(f"“{name}” isn't a valid time")
    return datetime.fromtimestamp(value, UTC)


def check_text(claims: dict[str, Any]) -> None:
    """Raises `jwt.InvalidTokenError` if a claim has characters that neither databases nor responses can contain."""
    text = json.dumps(claims, ensure_ascii=False)
    if "\\u0000" in text or printable(text) != text:
        raise jwt.InvalidTokenError("a claim has invalid characters")


def printable(text: object) -> str:
    """The text without lone surrogates, which UTF-8 cannot encode."""
    return str(text).encode(errors="replace").decode()
