"""The site's JSON Web Tokens: short-lived, for one audience, signed with the keys of `keys.py`.

`kid` names the key, so a new one signs while tokens of those before it still hold. RFC 8725 is the checklist: one
algorithm, an explicit type, every claim required and checked, keys of their own for this use (docs/security.md).
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

REQUIRED = ["iss", "aud", "sub", "status", "iat", "exp", "jti"]
LEEWAY = timedelta(seconds=5)
"""How far the clocks of two web processes may be apart."""
MAX_LENGTH = 2_000  # characters; the site's own have 400 with HS256 and 900 with RS256

API_AUDIENCE = "api"
TICKET_AUDIENCE = "live"
TICKET_LIFETIME = timedelta(seconds=30)


class InvalidToken(Exception):
    """`str()` of it says why."""

    what = "The token was refused."
    action = "Ask for a new one."

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True)
class Claims:
    subject: int | str
    """The user's primary key; or the e-mail address, where somebody else who knows JWT_SECRET made the token."""
    status: str
    id: str
    expires: datetime
    all: dict[str, Any]
    """These and the others, as the token has them."""


def issue(user: User, audience: str, lifetime: timedelta, **more: Any) -> str:
    """`more` are claims beside the required ones. Raises `PermissionDenied` where the user is not approved."""
    if not user.is_approved:
        raise PermissionDenied("No token was made: the account is not approved. See where it stands.")
    now = datetime.now(UTC)
    key = keys()[0]
    claims = {
        **more,
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
    """Raises `InvalidToken`. That the user still is what the token says is for the caller to look up."""
    if not token:
        raise InvalidToken("There is no token.")
    if len(token) > MAX_LENGTH:
        raise InvalidToken("The token is too long to be one of this site's.")
    try:
        key = _key_for(token, audience)
        claims = jwt.decode(
            token,
            key.verification_key,
            algorithms=[key.algorithm],
            audience=audience,
            issuer=settings.SITE_URL,
            leeway=LEEWAY,
            options={"require": REQUIRED, "strict_aud": True},
        )
        return _claims(claims)
    except jwt.ExpiredSignatureError:
        raise InvalidToken("The token has expired.") from None
    except (jwt.PyJWTError, ValueError) as error:
        raise InvalidToken(f"The token is not valid here: {error}.") from None


def redeem(token: str, audience: str) -> Claims:
    """Verify a token that may be used once. Whoever comes first has it, in whichever process."""
    claims = verify(token, audience)
    rest = claims.expires + LEEWAY - datetime.now(UTC)
    if not cache.add(f"token-used-{claims.id}", True, timeout=rest.total_seconds() + 1):
        raise InvalidToken("The token was used before.")
    return claims


def bearer_of(claims: Claims) -> User:
    """The account, whatever its standing is now. Raises `InvalidToken`."""
    named = {"email__iexact": claims.subject} if isinstance(claims.subject, str) else {"pk": claims.subject}
    user = User.objects.defer("password").filter(**named).first()
    if user is None:
        raise InvalidToken("Its account is gone.")
    return user


def _header(key: Key, audience: str) -> dict[str, str]:
    """With a type per audience, a token of one kind is never taken for another, whatever its claims."""
    return {"alg": key.algorithm, "kid": key.id, "typ": f"{audience}+jwt"}


def _key_for(token: str, audience: str) -> Key:
    header = jwt.get_unverified_header(token)
    for key in keys():
        if header == _header(key, audience):
            return key
    raise jwt.InvalidTokenError("it is of another kind, or signed with a key that is not in use")


def _claims(claims: dict[str, Any]) -> Claims:
    if claims["status"] != User.Status.APPROVED:
        raise jwt.InvalidTokenError("it was not made for an approved account")
    expires = datetime.fromtimestamp(claims["exp"], UTC)
    subject = claims["sub"] if "@" in claims["sub"] else int(claims["sub"])
    return Claims(subject, claims["status"], claims["jti"], expires, claims)
