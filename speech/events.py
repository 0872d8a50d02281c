"""Events that a stream emits to its dialect. The browser's dialect sends them unchanged, as JSON:
docs/browser-protocol.md."""

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
    speaker: str = ""  # of a recording with one speaker per channel


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
