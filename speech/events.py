"""What a stream tells the dialect it serves. The browser's says just this, as JSON: docs/browser-protocol.md."""

import re

import msgspec


def snake_case(name: str) -> str:
    """`SynthesisStarted` becomes `synthesis_started`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=snake_case):
    pass


class Queued(Event, frozen=True):
    queue_position: int  # 1 is next


class Starting(Event, frozen=True):
    """The engine is not up yet; told again when what it does changes."""

    progress: str  # “downloading …: 43 %”; may be empty


class Ready(Event, frozen=True):
    session: str
    position: int  # of the sample to send first
    words: int  # stored so far
    engine: str
    language: str
    audio: bool  # whether the sound is kept


class Step(Event, frozen=True, omit_defaults=True):
    sample: int
    speech: float
    pauses: list[float] = []  # as `messages.Step` has them


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
    language: str = ""  # that was found, where none was told
    speaker: str = ""  # of a recording with one on each side


class Ack(Event, frozen=True):
    sample: int


class Flushed(Event, frozen=True):
    """Everything before the mark of this id was heard, and its words were told."""

    id: int


class Interrupted(Event, frozen=True):
    words: int  # stored so far
    message: str


class Unstored(Event, frozen=True):
    """What is said is heard, but cannot be stored for now; the next `Ack` says that it was."""

    message: str


class Paused(Event, frozen=True):
    pass


class Done(Event, frozen=True):
    session: str
    words: int


# --- Of a speaking job (speech/synthesis/job.py) ---------------------------------------------------------------------


class SynthesisStarted(Event, frozen=True):
    """There is a slot; again after an `Interrupted`."""

    engine: str
    voice: str
    language: str


class Audio(Event, frozen=True):
    pcm: bytes
    """One frame, 80 ms: s16le, mono, 24 kHz."""


class SpokenWord(Event, frozen=True):
    """The audio that follows has these words of the text."""

    text: str
    at: int  # characters of the text before it
    start: float
    end: float


class Skipped(Event, frozen=True):
    """A part of the text that cannot be spoken, and is left out."""

    text: str
    at: int


class SynthesisDone(Event, frozen=True):
    samples: int
    words: int
