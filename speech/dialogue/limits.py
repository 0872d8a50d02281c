"""Limits on the length of a conversation and on its idle time, with a spoken warning before each."""

from dataclasses import dataclass
from enum import Enum, auto

WARNING = 60.0
"""Seconds before the end of the longest conversation."""
IDLE_WARNING = 30.0
"""Seconds before a conversation ends because nothing is said."""


class Due(Enum):
    LENGTH_WARNING = auto()
    IDLE_WARNING = auto()
    LENGTH_REACHED = auto()
    IDLE_REACHED = auto()


@dataclass
class Limits:
    length: float
    """Seconds; 0: no limit."""
    idle: float
    """Seconds without speech of either side; 0: no limit."""
    _is_length_announced: bool = False
    _is_idle_announced: bool = False

    def due(self, elapsed: float, idle: float) -> Due | None:
        """What is due after `elapsed` seconds of which the last `idle` were silent; each warning once."""
        if self.length and elapsed >= self.length:
            return Due.LENGTH_REACHED
        if self.idle and idle >= self.idle:
            return Due.IDLE_REACHED
        if self.length and elapsed >= self.length - WARNING and not self._is_length_announced:
            self._is_length_announced = True
            return Due.LENGTH_WARNING
        if idle < self.idle - IDLE_WARNING:
            self._is_idle_announced = False
        elif self.idle and not self._is_idle_announced:
            self._is_idle_announced = True
            return Due.IDLE_WARNING
        return None
