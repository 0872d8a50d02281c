"""The last decision that an administrator made in this browser, kept in the session until it is taken back."""

from dataclasses import astuple
from datetime import datetime
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from accounts.models import User
from accounts.models.approval_state import ApprovalState, Decision

KEY = "last_decision"


def remember(session: SessionBase, decision: Decision, told: str) -> None:
    before = {pk: _to_json(standing) for pk, standing in decision.before.items()}
    session[KEY] = {"at": decision.at.isoformat(), "before": before, "told": told}


def offer(session: SessionBase) -> dict[str, str] | None:
    """What to tell about the last decision, once, and the name by which to take it back."""
    last = session.get(KEY)
    if not (last and last["told"]):
        return None
    offered = {"at": last["at"], "told": last["told"]}
    session[KEY] = {**last, "told": ""}
    return offered


def undo(session: SessionBase, at: str, by: User) -> int:
    """Undo the decision of that name. Accounts about which was decided anew since are left alone; 0 if all were."""
    last = session.get(KEY)
    if not last or last["at"] != at:
        return 0
    del session[KEY]
    before = {int(pk): _from_json(standing) for pk, standing in last["before"].items()}
    return User.objects.filter(pk__in=before, decided_at=datetime.fromisoformat(at)).restore(before, by)


def _to_json(standing: ApprovalState) -> list[Any]:
    status, by, at, reason = astuple(standing)
    return [status, by, at and at.isoformat(), reason]


def _from_json(fields: list[Any]) -> ApprovalState:
    status, by, at, reason = fields
    return ApprovalState(status, by, at and datetime.fromisoformat(at), reason)
