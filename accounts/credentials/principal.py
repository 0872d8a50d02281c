"""The authenticated caller of a request and its scopes, and the errors of authentication."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from http import HTTPStatus

from django.urls import reverse

from accounts.models import User
from accounts.models.user import DELETED
from accounts.scopes import ANY_SCOPE, BROWSER_ONLY, text_of


class AccessDenied(Exception):
    """The caller is unknown or not allowed. States what happened, why, and what to do."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, code: str, what: str, why: str, action: str) -> None:
        self.code = code
        self.what, self.why, self.action = what, why, action
        super().__init__(f"{what} {why}")

    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "why": self.why, "action": self.action}


class NotAuthenticated(AccessDenied):
    """No valid credentials."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, why: str) -> None:
        action = "Create a token under Your account > Tokens and send it as “Authorization: Bearer TOKEN”."
        super().__init__("not_authenticated", "Authentication failed.", why, action)


class BadQuery(AccessDenied):
    """The request asks for something that does not exist."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, what: str, why: str) -> None:
        super().__init__("bad_query", what, why, "Request one that exists.")


class RateLimited(AccessDenied):
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, limit: int, wait: float | None) -> None:
        """`limit`: requests per minute. `wait`: seconds until the next request is accepted."""
        self.wait = math.ceil(wait or 1)
        why = f"The limit is {limit} requests per minute per account."
        super().__init__("rate_limited", "Too many requests.", why, f"Retry in {self.wait} s.")


@dataclass(frozen=True)
class Caller:
    user: User
    scopes: frozenset[str]
    token: str = ""
    """Id of the stored token behind the credentials, or empty. What the caller opened ends with it (`validity.py`), as
    it does with each of the following."""
    expires: datetime | None = None
    jwt_ids: tuple[str, ...] = ()
    """Id of the access token, if it is one, and of the one with which it was requested."""
    session_key: str = field(default="", repr=False)
    """Key of the browser's session in which the user is logged in, or empty. A secret: it is the cookie."""
    is_job: bool = False
    """A job of the account in the background, which ends only with the account's approval."""
    is_public: bool = False
    """Anyone may be the caller: the token is the public one."""
    only_opens: bool = False
    """Its expiry ends nothing that it has opened: a client secret's, as in OpenAI's API."""

    @property
    def ends_at(self) -> datetime | None:
        """When what the caller opened ends."""
        return None if self.only_opens else self.expires

    def require(self, scope: str) -> None:
        """Raises `AccessDenied` if the scope is missing. Also takes `ANY_SCOPE` and `BROWSER_ONLY`."""
        if scope == BROWSER_ONLY:
            raise AccessDenied(
                "browser_only",
                "No token gives access to this.",
                "Only the site's own pages use it, with a browser's login.",
                "Use the API that docs/api.md describes, or open the page in a browser.",
            )
        if scope != ANY_SCOPE and scope not in self.scopes:
            raise AccessDenied(
                "missing_scope",
                f"The token lacks the scope “{scope}”.",
                f"Its scopes: {text_of(self.scopes) or 'none'}.",
                "Create a token with this scope under Your account > Tokens.",
            )


def session_hash(session_key: str) -> str:
    """Names a browser's session without giving access to it."""
    return sha256(f"browser's session {session_key}".encode()).hexdigest()[:32]


REASONS = {
    User.Status.PENDING: "It is pending approval.",
    User.Status.REJECTED: "An administrator rejected it.",
}


def approval_reason(user: User) -> str:
    """Why the account is not approved."""
    if not user.is_active:
        return "It is being deleted." if user.decision_reason == DELETED else "An administrator deactivated it."
    return user.decision_reason or REASONS.get(User.Status(user.status), "")


def approval_problem(user: User) -> dict[str, str]:
    return {
        "code": "not_approved",
        "what": "Your account is not approved.",
        "why": approval_reason(user),
        "action": f"Check your account status at {reverse('approval_status')}.",
    }
