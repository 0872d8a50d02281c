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
