"""What the client of a conversation can choose."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from speech.live.stream_options import StreamOptions
from speech.synthesis.options import SynthesisOptions
from speech.text.alignment import TimedWord


@dataclass(frozen=True)
class UnsavedReply:
    """A reply that the client has played, and that the server has not confirmed as saved."""

    is_complete: bool
    words: Sequence[TimedWord]
    """Times in seconds of the session."""


@dataclass(frozen=True)
class ConversationOptions:
    stream: StreamOptions = field(default_factory=StreamOptions)
    voice: SynthesisOptions = field(default_factory=SynthesisOptions)
    model: str = ""
    """Name of the language model; the server chooses one if it is empty."""
    instructions: str = ""
    """For the language model."""
    push_to_talk: bool = False
    unsaved: Sequence[UnsavedReply] | None = None
    """Of a conversation whose client has lost its connection; None for any other."""
