"""What became of every sample of a session."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Counts:
    """What a session's streams went through, for its ledger."""

    received: int  # samples that came in, of which the stored ones are a part
    dropped: int  # samples that the speaker's side had to throw away
    engines_lost: int


class Ledger(NamedTuple):
    """Samples at 24 kHz."""

    recorded: int
    received: int
    stored: int
    """Transcribed, and their words stored."""
    dropped: int
    """Recorded, and thrown away by the speaker's side for want of room."""
    reconnects: int
    engines_lost: int

    @property
    def waiting(self) -> int:
        return self.received - self.stored

    @property
    def is_settled(self) -> bool:
        return self.recorded == self.stored
