"""Where an account stands, and what a decision did: enough to take it back."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ApprovalState:
    """What a decision sets, under the names of the user's fields."""

    status: str
    decided_by_id: int | None
    decided_at: datetime | None
    decision_reason: str


@dataclass(frozen=True)
class Decision:
    """One click: when it was, and where each account that it moved stood before."""

    at: datetime
    before: dict[int, ApprovalState]
