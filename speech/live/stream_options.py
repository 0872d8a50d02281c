"""What the owner of a live stream can choose."""

import uuid
from dataclasses import dataclass
from typing import Protocol

from inference.messages import Endpointing


class Overlay(Protocol):
    """Audio that is mixed into the recording, such as the replies of a conversation."""

    def mix(self, first: int, pcm: bytes) -> bytes:
        """Return `pcm`, the audio from sample `first` of the session on, with the overlay's audio of that time added.
        Called on the event loop, in the order of the audio; again for audio that could not be stored."""


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
    translates: bool = False
    """The words are a translation into English, by an engine that can."""
    endpointing: Endpointing | None = None
    """For engines that support it; None is the engine's default."""
    awaits_turns: bool = False
    """Someone waits for the end of each turn: by default, shorter pauses end segments."""
    speaker: str = ""
    """Who speaks the words that the stream transcribes, if the session names its speakers."""
    overlay: Overlay | None = None
