"""Messages between web processes and inference processes, independent of client dialects and engines.

A *stream* is one live job. Its messages travel in bundles of `(stream, seq, message)`, where `seq` counts the stream's
messages in that direction from 0: the channel layer may drop or repeat messages, and both ends must detect it.

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
"""Language of an engine that detects the language; BCP 47's code for “undetermined”."""

Kind = Literal["stt", "tts", "dialogue"]
"""Kind of a stream: speech in and words out, text in and speech out, or speech both ways."""


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    pass


# --- Capabilities of engines ----------------------------------------------------------------------------------------


class Voice(Message, frozen=True):
    name: str  # unique in its engine
    label: str
    language: str  # BCP 47: "en-US"
    kind: str = ""  # "female", "male", or another property that distinguishes voices
    description: str = ""
    license: str = ""
    """Short name, such as “CC BY 4.0”; "" if unknown."""

    @property
    def is_noncommercial(self) -> bool:
        """Whether the license allows non-commercial use only."""
        return "-NC" in self.license or self.license == "Non-commercial"


class Control(Message, frozen=True):
    """A numeric parameter of the speech that a client may set when it opens a stream."""

    name: str
    label: str
    default: float
    minimum: float
    maximum: float
    step: float


PAUSE_LENGTHS = (0.5, 1.0, 2.0, 3.0)
"""Pause lengths in seconds that Kyutai's models were trained to predict, one head each."""


class Endpointing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rules for the end of a segment, for engines that predict pauses.

    A segment ends when the head for a pause of `pause` seconds gives a probability above `threshold`, but not before it
    has `min_words`, and after `max_turn` seconds in any case. With `guard`, digits and spelled letters must be followed
    by the next longer pause: the heads mistake the moment before or within a number for the end.
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
    """A better engine for this machine, and the size of its download."""

    engine: str
    label: str
    download_mb: int


# --- Admission, on an engine's shared queue, and status, to the group of all web processes ---------------------------


class Open(Message, frozen=True):
    """A request for a slot. An inference process with a free one receives it and replies with `Ready` to `reply_to`."""

    stream: str
    reply_to: str
    deadline: float  # unix time after which the requester no longer waits
    position: int  # first sample that will be sent or synthesized
    language: str
    voice: str = ""  # empty: the engine's first
    controls: dict[str, float] = {}  # missing ones have their defaults
    endpointing: Endpointing | None = None  # None: the engine's default
    trace: str = ""  # `traceparent` of the requesting span (`inference/observability/tracing.py`)
    low_latency: bool = False  # a listener waits and may interrupt: render short phrases, as early as possible
    account: str = ""  # opaque key of who requests it, among whom slots are shared fairly; empty: of no account
    is_program: bool = False  # of a program, whose streams give up their slots before those of people
    translates: bool = False  # the words are to be a translation into English
    awaits_turns: bool = False  # someone waits for the end of each turn: shorter pauses end segments


STEP_BUCKETS: dict[Kind, tuple[float, ...]] = {
    "stt": (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08),
    "tts": (0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.08),
    "dialogue": (0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08),
}
"""Upper limits, in seconds, of the histogram buckets of step durations; those of Kyutai's servers."""


class StepLatencies(Message, frozen=True):
    """Histogram of an engine's step durations since its start: a count per bucket of its kind and, last, all longer."""

    counts: list[int] = []
    seconds: float = 0.0

    def __add__(self, other: "StepLatencies") -> "StepLatencies":
        counts = [sum(pair) for pair in zip_longest(self.counts, other.counts, fillvalue=0)]
        return StepLatencies(counts, self.seconds + other.seconds)


class SlotLimits(Message, frozen=True):
    """The slots that each resource of an engine's device would allow, if the engine chose their number itself."""

    memory: int
    time: int  # whose steps are short enough, as far as measured

    def __add__(self, other: "SlotLimits") -> "SlotLimits":
        return SlotLimits(self.memory + other.memory, self.time + other.time)

    def __str__(self) -> str:
        return f"memory would allow {self.memory}, step time allows {self.time}"


class LoggedError(Message, frozen=True):
    """A logged error of a process."""

    at: float  # unix time
    kind: str  # initialization, runtime, performance, memory, network, validation
    severity: str  # warning, error, critical, recovered
    source: str  # name of the logger
    message: str  # event and reaction


class Status(Message, frozen=True):
    """The heartbeat of an inference process."""

    worker: str  # channel of the worker
    engine: str
    label: str
    languages: dict[str, str]  # code: name
    slots: int
    free: int
    stopping: bool = False
    kind: Kind = "stt"
    controls: list[Control] = []
    voices: list[Voice] | None = None  # sent once a second: there may be many
    endpointing: Endpointing | None = None  # default of an engine whose endpointing is configurable
    progress: str = ""  # of starting, before there are slots
    upgrade: UpgradeHint | None = None
    step_latencies: StepLatencies = StepLatencies()
    process: str = ""  # see `process_name`
    recent_errors: list[LoggedError] | None = None  # sent with the voices
    accounts: dict[str, int] = {}  # number of slots that each account holds
    measured_at: float = 0.0  # unix time of the last measurement of `slots`; 0: it was not measured
    translates: bool = False  # it can translate speech into English
    slot_limits: SlotLimits | None = None  # None: the number of slots was given, or follows from something else


# --- Up: web process to inference process -------------------------------------------------------------------------


class Accept(Message, frozen=True):
    """Confirms that the requester received the `Ready`; it may be gone by the time a slot is free."""


class Text(Message, frozen=True):
    """Whole words to speak, separated by white space. `<1.5s>` is a pause of that many seconds (`parse_pause`). Without
    words it is a keep-alive."""

    text: str


class Close(Message, frozen=True):
    """Release the slot at once; the client no longer listens."""


class Reassign(Message, frozen=True):
    """To a worker itself: `account` waits for a slot, and `holder` has at least `FAIR_LEAD` more. The worker takes the
    newest one from `holder`."""

    account: str
    holder: str
    lead: int  # how many slots more than `account` the holder has at other workers


# --- Both ways ----------------------------------------------------------------------------------------------------


class Audio(Message, frozen=True):
    """Up: audio to transcribe. Down: synthesized audio."""

    pcm: bytes


class Marker(Message, frozen=True):
    """Up: finish everything before this. Down: done, all resulting events have been sent."""

    id: int


# --- Down: inference process to web process -----------------------------------------------------------------------


class Ready(Message, frozen=True):
    worker: str


class Step(Message, frozen=True):
    """The engine has processed or synthesized one more frame."""

    sample: int  # everything before it is processed or synthesized
    final_until: int  # no word before it will be added or change
    speech: float  # voice activity of the frame, 0 to 1
    pauses: list[float] = []  # probability of a pause of each of `PAUSE_LENGTHS`, if the engine predicts them
    words_until: int = 0
    """Every word that begins before it was sent, if that is more than `final_until`: except those that a stalled engine
    missed, which come when it is restarted."""


class Partial(Message, frozen=True):
    """Partial transcript since the last `Word`; it may change. Empty: nothing."""

    text: str
    start: float
    end: float


class Word(Message, frozen=True):
    """A final word. A text-to-speech engine sends one for every word of the text except pauses, in order and unchanged,
    as soon as its time is known: mostly before its audio."""

    text: str
    start: float
    end: float
    confidence: float | None  # 0 to 1


class Endpoint(Message, frozen=True):
    """The end of a segment, which consists of the words since the last endpoint."""

    start: float
    end: float
    language: str = ""  # detected language, if the request gave none


class Closed(Message, frozen=True):
    """The inference process released the slot."""

    reason: str
    is_rejection: bool = False  # the engine cannot serve the request, so another slot would not help
    is_reassigned: bool = False  # to another account; the stream waits for its next turn


class Rejected(Message, frozen=True):
    """The engine cannot serve this stream's request; its slot is released."""

    reason: str


Event = Step | Partial | Word | Endpoint | Audio | Rejected | Closed
"""An engine's output for a slot. `Closed` retires the slot until the engine is restarted."""

Up = Accept | Audio | Text | Marker | Close
Down = Ready | Step | Partial | Word | Endpoint | Audio | Marker | Closed


_PAUSE = re.compile(r"<(\d{1,3}(?:\.\d+)?)s>")


def parse_pause(word: str) -> float | None:
    """Seconds of a pause like `<1.5s>`; None for any other word."""
    pause = _PAUSE.fullmatch(word)
    return float(pause[1]) if pause else None


FAIR_LEAD = 2
"""Slots that an account must hold more than one that waits before it gives one up: with less, both would take turns in
taking the slot from each other."""


def queue_name(engine: str) -> str:
    """The channel that carries slot requests for an engine."""
    return f"open.{engine}"


def process_name() -> str:
    """Cluster-unique name of this process: `host:pid`."""
    return f"{socket.gethostname()}:{os.getpid()}"


WEB_GROUP = "web"
"""The group of all web processes, which receives the heartbeats of inference processes."""
