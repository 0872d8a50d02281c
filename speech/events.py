"""Events that a stream emits to its dialect. The browser's dialect sends them unchanged, as JSON:
docs/browser-protocol.md."""

import re
from typing import ClassVar

import msgspec


def snake_case(name: str) -> str:
    """`SynthesisStarted` becomes `synthesis_started`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=snake_case):
    pass


class Queued(Event, frozen=True):
    queue_position: int  # 1 is next


class Starting(Event, frozen=True):
    """The engine is still starting; sent again when its progress changes."""

    progress: str  # “downloading …: 43%”; may be empty


class Ready(Event, frozen=True):
    session: str
    position: int  # of the sample to send first
    words: int  # stored so far
    engine: str
    language: str
    audio: bool  # whether the audio is saved


class Step(Event, frozen=True, omit_defaults=True):
    sample: int
    speech: float
    pauses: list[float] = []  # as in `messages.Step`


class Partial(Event, frozen=True):
    text: str
    start: float
    end: float


class Word(Event, frozen=True):
    index: int
    segment: int
    text: str
    start: float
    end: float
    confidence: float | None


class Endpoint(Event, frozen=True, omit_defaults=True):
    segment: int
    start: float
    end: float
    language: str = ""  # detected, if the client chose none
    speaker: str = ""  # of a recording with one speaker per channel, or of a conversation
    is_inserted: ClassVar[bool] = False


class InsertedSegment(Endpoint, frozen=True):
    """A segment that was not transcribed: a reply, or typed text. It is stored and never emitted."""

    is_inserted: ClassVar[bool] = True


class Ack(Event, frozen=True):
    sample: int


class Flushed(Event, frozen=True):
    """All audio before the marker with this id is processed, and its words are emitted."""

    id: int


class Interrupted(Event, frozen=True):
    words: int  # stored so far
    message: str


class Unstored(Event, frozen=True):
    """Speech is transcribed but cannot be stored for now; the next `Ack` confirms that it is."""

    message: str


class Paused(Event, frozen=True):
    pass


class Done(Event, frozen=True):
    session: str
    words: int


# --- Speech synthesis (speech/synthesis/job.py) ----------------------------------------------------------------------


class SynthesisStarted(Event, frozen=True):
    """The job has a slot; sent again after an `Interrupted`."""

    engine: str
    voice: str
    language: str


class Audio(Event, frozen=True):
    pcm: bytes
    """One frame, 80 ms: s16le, mono, 24 kHz."""


class SpokenWord(Event, frozen=True):
    """Words of the text that the following audio speaks."""

    text: str
    at: int  # offset in the text, in characters
    start: float
    end: float


class Skipped(Event, frozen=True):
    """A part of the text that cannot be spoken and is left out."""

    text: str
    at: int


class SynthesisDone(Event, frozen=True):
    samples: int
    words: int


# --- Conversations (speech/dialogue/conversation.py) ------------------------------------------------------------------


class PastTurn(msgspec.Struct, frozen=True):
    speaker: str
    text: str


class Conversation(Event, frozen=True):
    """Sent before the first `Ready`."""

    model: str
    model_label: str
    is_demo: bool
    voice: str
    turns: list[PastTurn]  # of a conversation that is continued


class TurnState(Event, frozen=True):
    state: str  # values of `turn_taking.State`


class Turn(Event, frozen=True):
    """The user's turn is over."""

    text: str
    is_typed: bool
    end: int  # sample of the session: the end of the user's speech


class ReplyQueued(Event, frozen=True):
    """A reply waits for a voice."""

    queue_position: int


class ReplyStarted(Event, frozen=True):
    """`Audio` that follows is of this reply, before the next `ReplyStarted`."""

    reply: int
    is_announcement: bool  # spoken by the site itself: it is not part of the conversation


class ReplyWord(Event, frozen=True):
    reply: int
    text: str
    start: float  # seconds from the beginning of the reply's audio
    end: float


class ReplyEnded(Event, frozen=True):
    """All audio of the reply was sent."""

    reply: int
    samples: int


class ReplyCut(Event, frozen=True):
    reply: int
    text: str  # what was played


class ReplySaved(Event, frozen=True):
    """What was played of the reply is stored."""

    reply: int


class TurnLatency(Event, frozen=True, tag="latency"):
    """How long the user waited for a reply, in seconds."""

    reply: int
    endpoint: float  # end of speech to end of the turn
    model: float  # request to first text
    synthesis: float  # first text to first audio
    total: float  # end of speech to first audio sent


class Notice(Event, frozen=True):
    """A problem that doesn't end the conversation."""

    what: str
    why: str
    action: str


class EchoDetected(Event, frozen=True, tag="echo"):
    """The microphone picks up the reply."""
