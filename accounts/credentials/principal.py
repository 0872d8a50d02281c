"""Who calls, and what may be done in their name."""

import math
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from django.urls import reverse

from accounts.models import User
from accounts.scopes import text_of


class Refused(Exception):
    """Nobody, or somebody who may not. Says what happened, why, and what to do."""

    status = HTTPStatus.FORBIDDEN

    def __init__(self, code: str, what: str, why: str, todo: str) -> None:
        self.code = code
        self.what, self.why, self.todo = what, why, todo
        super().__init__(f"{what} {why}")

    @property
    def told(self) -> dict[str, str]:
        return {"code": self.code, "what": self.what, "why": self.why, "todo": self.todo}


class NotAuthenticated(Refused):
    """Nobody."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, why: str) -> None:
        todo = "Make a token under Your account, Tokens, and send it as “Authorization: Bearer TOKEN”."
        super().__init__("not_authenticated", "The token was refused.", why, todo)


class BadQuery(Refused):
    """Whoever it is asks for something that there is not."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, what: str, why: str) -> None:
        super().__init__("bad_query", what, why, "Ask for one that there is.")


class TooOften(Refused):
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

    def demand(self, scope: str) -> None:
        """Raises `Refused` where the scope is missing."""
        if scope not in self.scopes:
            raise Refused(
                "missing_scope",
                f"The token may not do this: it lacks the scope “{scope}”.",
                f"It has: {text_of(self.scopes) or 'none'}.",
                "Make a token that has it, under Your account, Tokens.",
            )


WHY = {
    User.Status.PENDING: "An administrator has yet to decide about it.",
    User.Status.REJECTED: "An administrator rejected it.",
}


def refusal(user: User) -> dict[str, str]:
    return {
        "code": "not_approved",
        "what": "Your account is not approved.",
        "why": user.decision_reason or WHY.get(User.Status(user.status), "It is switched off."),
        "todo": f"See where your account stands at {reverse('standing')}.",
    }
