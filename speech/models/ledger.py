"""The ledger of a session: where each of its audio samples went."""

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Counts:
    """Counters of a session's streams, for its ledger."""

    received: int  # samples received, including the stored ones
    dropped: int  # samples that the client had to discard
    engines_lost: int


class Ledger(NamedTuple):
    """Samples at 24 kHz."""

    recorded: int
    received: int
    stored: int
    """Transcribed, and their words stored."""
    dropped: int
    """Recorded, but discarded by the client for lack of space."""
    reconnects: int
    engines_lost: int

    @property
    def pending(self) -> int:
        return self.received - self.stored

    @property
    def is_settled(self) -> bool:
        return self.recorded == self.stored
