"""The vocabulary between a web process and an inference process, whatever the dialect outside and the engine inside.

A *stream* is one live job. What concerns it travels in bundles of `(stream, seq, message)`, where `seq` counts the
stream's messages in that direction from 0: the channel layer may drop or repeat, and both ends want to know.

Positions are samples at 24 kHz, times are seconds, both counted from the beginning of the session that the stream
belongs to. Audio is mono, signed 16 bit little-endian, 24 kHz.
"""

import os
import re
import socket
from itertools import zip_longest
from typing import Annotated, Literal

import msgspec

SAMPLE_RATE = 24_000
FRAME_SAMPLES = 1_920
"""One step of an engine: 80 ms, the frame of the Mimi codec."""
BYTES_PER_SAMPLE = 2
FRAME_BYTES = FRAME_SAMPLES * BYTES_PER_SAMPLE


UNKNOWN_LANGUAGE = "und"
"""Of an engine that finds the language by itself; the code of BCP 47 for “undetermined”."""

Kind = Literal["stt", "tts", "dialogue"]
"""What a stream is for: speech in and words out, text in and speech out, or speech both ways."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    pass


# --- What an engine that speaks can do ------------------------------------------------------------------------------


class Voice(Message, frozen=True):
    name: str  # unique in its engine
    label: str
    language: str  # as BCP 47 has it: "en-US"
    kind: str = ""  # "female", "male", or whatever else tells voices apart
    description: str = ""


class Control(Message, frozen=True):
    """Something about how it speaks that whoever opens a stream may choose."""

    name: str
    label: str
    default: float
    minimum: float
    maximum: float
    step: float


PAUSE_LENGTHS = (0.5, 1.0, 2.0, 3.0)
"""Seconds: the lengths of pause that Kyutai's models were taught to predict, a head for each."""


class Endpointing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When an utterance is over, for engines that predict pauses.

    The utterance ends when the head for a pause of `pause` seconds is surer than `threshold` that one has begun, not
    before it has `min_words`, and after `max_turn` seconds in any case. With `guard` digits and spelled letters must be
    followed by the next longer pause: the heads take the moment before a number, or within one, for the end.
    """

    pause: float = 0.5
    threshold: Annotated[float, msgspec.Meta(ge=0.05, le=0.99)] = 0.6
    min_words: Annotated[int, msgspec.Meta(ge=0, le=50)] = 1
    max_turn: Annotated[float, msgspec.Meta(ge=2, le=110)] = 30.0
    guard: bool = True

    def __post_init__(self) -> None:
        if self.pause not in PAUSE_LENGTHS:
            raise ValueError(f"`pause` is one of {', '.join(f'{pause:g}' for pause in PAUSE_LENGTHS)} seconds")


class UpgradeHint(Message, frozen=True):
    """An engine that would do better on the same machine, and what it takes to have it."""

    engine: str
    label: str
    download_mb: int


# --- Admission: alone on the shared queue of an engine, and to the group of all web processes ---------------------


class Open(Message, frozen=True):
    """A request for a slot. Whoever has one free reads it, and answers with `Ready` to `reply_to`."""

    stream: str
    reply_to: str
    deadline: float  # unix time after which nobody waits for the answer
    position: int  # of the first sample that will be sent, or made
    language: str
    voice: str = ""  # empty: the engine's first
    controls: dict[str, float] = {}  # those that are not given have their defaults
    endpointing: Endpointing | None = None  # None: the engine's
    trace: str = ""  # the span that asks (`inference/observability/tracing.py`)


STEP_BOUNDS: dict[Kind, tuple[float, ...]] = {
    "stt": (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08),
    "tts": (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.08),
    "dialogue": (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08),
}
"""Seconds that a step may take, of which the durations of steps are told; those of Kyutai's servers."""


class StepLatencies(Message, frozen=True):
    """How long the steps of an engine took since it began: those up to each bound of its kind and, last, all longer."""

    counts: list[int] = []
    seconds: float = 0.0

    def __add__(self, others: "StepLatencies") -> "StepLatencies":
        counts = [sum(pair) for pair in zip_longest(self.counts, others.counts, fillvalue=0)]
        return StepLatencies(counts, self.seconds + others.seconds)


class LoggedError(Message, frozen=True):
    """Something that went wrong in a process, and was logged."""

    at: float  # unix time
    kind: str  # initialisation, runtime, performance, memory, network, validation
    severity: str  # warning, error, critical
    source: str  # the part of the program
    message: str  # what happened, and what was done about it


class Status(Message, frozen=True):
    """The heartbeat of an inference process."""

    worker: str  # its address
    engine: str
    label: str
    languages: dict[str, str]  # code: name
    slots: int
    free: int
    stopping: bool = False
    kind: Kind = "stt"
    controls: list[Control] = []
    voices: list[Voice] | None = None  # told once a second: they may be many
    endpointing: Endpointing | None = None  # the default of an engine that lets it be chosen
    progress: str = ""  # what it is doing before it has slots
    upgrade: UpgradeHint | None = None
    step_latencies: StepLatencies = StepLatencies()
    process: str = ""  # on which machine, and its number there
    recent_errors: list[LoggedError] | None = None  # told with the voices


# --- Up: web process to inference process -------------------------------------------------------------------------


class Accept(Message, frozen=True):
    """Somebody is there who got the `Ready`. Whoever asked may be gone by the time that there is a slot."""


class Text(Message, frozen=True):
    """Whole words to speak, after those before, parted by white space. One like `<1.5s>` is a pause of so many
    seconds (`pause_of`). Without any words it is a sign of life."""

    text: str


class Close(Message, frozen=True):
    """Give the slot back at once; nobody listens any more."""


# --- Both ways ----------------------------------------------------------------------------------------------------


class Audio(Message, frozen=True):
    """Up: what was said. Down: what the engine says."""

    pcm: bytes


class Marker(Message, frozen=True):
    """Up: bring everything before this to its end. Down: it is done, all that follows from it has been told."""

    id: int


# --- Down: inference process to web process -----------------------------------------------------------------------


class Ready(Message, frozen=True):
    worker: str


class Step(Message, frozen=True):
    """The engine has heard, or made, one more frame."""

    sample: int  # everything before it was heard, or made
    final_until: int  # no word before it will come or change any more
    speech: float  # voice activity of the frame, 0 to 1
    pauses: list[float] = []  # from an engine that predicts them: how sure it is of a pause of each of `PAUSES`


class Partial(Message, frozen=True):
    """What the engine believes was said since the last `Word`; it may change. Empty: nothing."""

    text: str
    start: float
    end: float


class Word(Message, frozen=True):
    """Final. An engine that speaks tells one for every word of the text that is no pause, in order and as it was given,
    as soon as it knows when it is spoken: mostly before its audio."""

    text: str
    start: float
    end: float
    confidence: float | None  # 0 to 1


class Endpoint(Message, frozen=True):
    """An utterance is over; the words since the last end-point are its words."""

    start: float
    end: float
    language: str = ""  # that was found, of an engine that was told none


class Closed(Message, frozen=True):
    """The inference process gave the slot up, and says why."""

    reason: str
    is_rejection: bool = False  # the engine cannot do what was asked for, so another slot is of no use


class Rejected(Message, frozen=True):
    """Of an engine: it cannot do what this stream asks for. Its slot is free for another."""

    reason: str


Event = Step | Partial | Word | Endpoint | Audio | Rejected | Closed
"""What an engine tells of a slot; with `Closed` it gives the slot up, until it is restarted."""

Up = Accept | Audio | Text | Marker | Close
Down = Ready | Step | Partial | Word | Endpoint | Audio | Marker | Closed


_PAUSE = re.compile(r"<(\d{1,3}(?:\.\d+)?)s>")


def parse_pause(word: str) -> float | None:
    """Seconds, of a word that is a pause."""
    pause = _PAUSE.fullmatch(word)
    return float(pause[1]) if pause else None


def queue_name(engine: str) -> str:
    """The channel on which the streams of an engine ask for a slot."""
    return f"open.{engine}"


def process_name() -> str:
    """Of this one, among all of all machines."""
    return f"{socket.gethostname()}:{os.getpid()}"


WEB_GROUP = "web"
"""The group of all web processes: heartbeats of inference processes go there."""
