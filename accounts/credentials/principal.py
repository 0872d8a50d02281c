"""The authenticated caller of a request and its scopes, and the errors of authentication."""

import math
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.urls import reverse

from accounts.models import User
from accounts.scopes import text_of


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
    """Id of the stored token behind the credentials, or empty. Revoking it closes the caller's open connections."""
    expires: datetime | None = None

    def require(self, scope: str) -> None:
        """Raises `AccessDenied` if the scope is missing."""
        if scope not in self.scopes:
            raise AccessDenied(
                "missing_scope",
                f"The token lacks the scope “{scope}”.",
                f"Its scopes: {text_of(self.scopes) or 'none'}.",
                "Create a token with this scope under Your account > Tokens.",
            )


REASONS = {
    User.Status.PENDING: "It is pending approval.",
    User.Status.REJECTED: "An administrator rejected it.",
}


def approval_problem(user: User) -> dict[str, str]:
    return {
        "code": "not_approved",
        "what": "Your account is not approved.",
        "why": user.decision_reason or REASONS.get(User.Status(user.status), "It is deactivated."),
        "action": f"Check your account status at {reverse('approval_status')}.",
    }
