"""The administrator's last decision in this browser, kept in the web session so that it can be undone."""

from dataclasses import astuple
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User
from accounts.models.approval_state import ApprovalState, Decision

KEY = "last_decision"


def remember(session: SessionBase, decision: Decision, message: str) -> None:
    before = {pk: _to_json(state) for pk, state in decision.before.items()}
    session[KEY] = {"at": decision.at.isoformat(), "before": before, "message": message}


def offer(session: SessionBase) -> dict[str, str] | None:
    """The message about the last decision and its id (`at`) for undoing it. Returned only once."""
    last = session.get(KEY)
    if not (last and last["message"]):
        return None
    offered = {"at": last["at"], "message": last["message"]}
    session[KEY] = {**last, "message": ""}
    return offered


def undo(session: SessionBase, at: str, by: User) -> int:
    """Undo the decision made at `at`, except for accounts with a newer decision. Returns the number restored."""
    last = session.get(KEY)
    if not last or last["at"] != at:
        return 0
    del session[KEY]
    before = {int(pk): _from_json(state) for pk, state in last["before"].items()}
    return User.objects.filter(pk__in=before, decided_at=datetime.fromisoformat(at)).restore(before, by)


def _to_json(state: ApprovalState) -> list[Any]:
    status, by, at, reason = astuple(state)
    return [status, by, at and at.isoformat(), reason]


def _from_json(fields: list[Any]) -> ApprovalState:
    status, by, at, reason = fields
    return ApprovalState(status, by, at and datetime.fromisoformat(at), reason)
