"""The approval state of an account, and the record of a decision that allows undoing it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ApprovalState:
    """Fields of a user that a decision sets, with the same names."""

    status: str
    decided_by_id: int | None
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True)
class Decision:
    """One decision: its time, and the previous state of each account that it changed."""

    at: datetime
    before: dict[int, ApprovalState]
