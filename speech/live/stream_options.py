"""What the client of a live stream can choose."""

import uuid
from dataclasses import dataclass

from inference.messages import Endpointing


@dataclass(frozen=True)
class StreamOptions:
    engine: str = ""
    """The server chooses an engine if it is empty."""
    language: str = ""
    wait: bool = False
    """Queue for a slot instead of failing at capacity."""
    keep: bool = True
    """Save a session."""
    session: uuid.UUID | None = None
    """Resume this session."""
    saves_audio: bool = False
    """Record a new session; a resumed one is recorded if it was."""
    endpointing: Endpointing | None = None
    """For engines that support it; None is the engine's default."""
