"""What the client of a synthesis job can choose."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class SynthesisOptions:
    """The server chooses what is empty."""

    engine: str = ""
    voice: str = ""
    language: str = ""
    controls: Mapping[str, float] = field(default_factory=dict)
    wait: bool = False
    """Queue for a slot instead of failing at capacity."""
    low_latency: bool = False
    """A listener waits and may interrupt: the engine speaks shorter phrases, and the first one earlier."""
    is_counted: bool = True
    """The job counts toward its user's limit. False if it belongs to a conversation, which counts itself."""
