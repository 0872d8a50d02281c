"""Who calls, and what may be done in their name."""

import math
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.urls import reverse

from accounts.models import User
from accounts.scopes import text_of


class AccessDenied(Exception):
    """Nobody, or somebody who may not. Says what happened, why, and what to do."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, code: str, what: str, why: str, action: str) -> None:
        self.code = code
        self.what, self.why, self.action = what, why, action
        super().__init__(f"{what} {why}")

    @property
    def to_dict(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "why": self.why, "action": self.action}


class NotAuthenticated(AccessDenied):
    """Nobody."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, why: str) -> None:
        action = "Make a token under Your account, Tokens, and send it as “Authorization: Bearer TOKEN”."
        super().__init__("not_authenticated", "The token was refused.", why, action)


class BadQuery(AccessDenied):
    """Whoever it is asks for something that there is not."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, what: str, why: str) -> None:
        super().__init__("bad_query", what, why, "Ask for one that there is.")


class RateLimited(AccessDenied):
    status = HTTPStatus.TOO_MANY_REQUESTS

    def __init__(self, bound: int, wait: float | None) -> None:
        """`bound`: requests a minute. `wait`: seconds until the next is taken."""
        self.wait = math.ceil(wait or 1)
        why = f"An account may ask {bound} times a minute."
        super().__init__("rate_limited", "You ask too often.", why, f"Ask again in {self.wait} s.")


@dataclass(frozen=True)
class Caller:
    user: User
    scopes: frozenset[str]
    token: str = ""
    """The id of the kept token that stands behind it: its revocation ends what the caller has open. Or empty."""
    expires: datetime | None = None

    def require(self, scope: str) -> None:
        """Raises `Refused` where the scope is missing."""
        if scope not in self.scopes:
            raise AccessDenied(
                "missing_scope",
                f"The token may not do this: it lacks the scope “{scope}”.",
                f"It has: {text_of(self.scopes) or 'none'}.",
                "Make a token that has it, under Your account, Tokens.",
            )


REASONS = {
    User.Status.PENDING: "An administrator has yet to decide about it.",
    User.Status.REJECTED: "An administrator rejected it.",
}


def approval_problem(user: User) -> dict[str, str]:
    return {
        "code": "not_approved",
        "what": "Your account is not approved.",
        "why": user.decision_reason or REASONS.get(User.Status(user.status), "It is switched off."),
        "action": f"See where your account stands at {reverse('standing')}.",
    }
