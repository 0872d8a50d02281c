"""Turn detection: the client's settings, and when the user begins and ends to speak.

Voice activity is that of the engine, frame by frame. `server_vad` ends a turn after a fixed silence; `semantic_vad`
after one that depends on the text so far, as on the Talk page. The transcription doesn't depend on it: words are
assigned to turns by their times.
"""

from enum import Enum, auto
from typing import Annotated, Any

import msgspec

from speech.dialects.openai.errors import BadRequest
from speech.dialogue.turns.end_of_turn import silence_needed

MIN_SPEECH = 0.16
"""Seconds of voice that begin a turn."""
DEFAULT_THRESHOLD = 0.5
EAGERNESS = {"low": (2.0, 8.0), "medium": (1.0, 4.0), "high": (0.7, 2.0), "auto": (1.0, 4.0)}
"""Factor of the silence that the text requires, and its maximum in seconds, which is OpenAI's."""

Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class TurnDetection(msgspec.Struct, frozen=True):
    """Settings, as clients send them; of `semantic_vad` only the eagerness matters. Those for responses are ignored."""

    type: str = "server_vad"
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    prefix_padding_ms: Milliseconds | None = None
    silence_duration_ms: Milliseconds | None = None
    eagerness: str | None = None

    def check(self) -> None:
        """Raises `BadRequest`."""
        param = "session.audio.input.turn_detection"
        if self.type not in ("server_vad", "semantic_vad"):
            why = "Supported values are: “server_vad” and “semantic_vad”, or null for none."
            raise BadRequest(f"{param}.type", f"Invalid value: “{self.type}”.", why)
        if self.eagerness and self.eagerness not in EAGERNESS:
            why = f"Supported values are: {', '.join(EAGERNESS)}."
            raise BadRequest(f"{param}.eagerness", f"Invalid value: “{self.eagerness}”.", why)

    @property
    def to_dict(self) -> dict[str, Any]:
        """What is in force."""
        if self.type == "semantic_vad":
            return {"type": self.type, "eagerness": self.eagerness or "auto"}
        return {
            "type": self.type,
            "threshold": self.voice_threshold,
            "prefix_padding_ms": round(1000 * self.padding),
            "silence_duration_ms": round(1000 * self.silence_after("")),
        }

    @property
    def voice_threshold(self) -> float:
        if self.type == "semantic_vad" or self.threshold is None:
            return DEFAULT_THRESHOLD
        return self.threshold

    @property
    def padding(self) -> float:
        """Seconds by which a turn begins before its voice."""
        return 0.3 if self.prefix_padding_ms is None else self.prefix_padding_ms / 1000

    def silence_after(self, text: str, language: str = "") -> float:
        """Seconds of silence that end a turn with this text."""
        if self.type == "semantic_vad":
            factor, maximum = EAGERNESS[self.eagerness or "auto"]
            return min(factor * silence_needed(text, language), maximum)
        return 0.5 if self.silence_duration_ms is None else self.silence_duration_ms / 1000


class Change(Enum):
    STARTED = auto()
    STOPPED = auto()


class TurnDetector:
    """All times are seconds of the session."""

    def __init__(self) -> None:
        self.voice_start = 0.0
        self.voice_end = 0.0
        self.is_speaking = False
        self._processed = 0.0
        self._is_voiced = False
        self._is_quiet = False  # the turn has words and no voice above the threshold

    def on_step(
        self, time: float, speech: float, settings: TurnDetection, text: str, language: str = ""
    ) -> Change | None:
        """The frame that ends at `time` has the voice activity `speech`. `text`: of the turn so far."""
        was_voiced, self._is_voiced = self._is_voiced, speech >= settings.voice_threshold
        begin, self._processed = self._processed, time
        if self._is_voiced:
            self.voice_start = self.voice_start if was_voiced or self.is_speaking else begin
            self.voice_end, self._is_quiet = time, False
            if not self.is_speaking and time - self.voice_start >= MIN_SPEECH - 0.001:
                self.is_speaking = True
                return Change.STARTED
        elif self.is_speaking and time - self.voice_end >= settings.silence_after(text, language) - 0.001:
            self.is_speaking = False
            return Change.STOPPED
        return None

    def on_word(self, start: float, end: float) -> bool:
        """A word, which counts as voice in a turn whose voice is too quiet. Returns whether it begins a turn."""
        begins = not self.is_speaking
        if begins:
            self.is_speaking, self._is_quiet, self.voice_start = True, True, start
        if self._is_quiet:
            self.voice_end = max(self.voice_end, end)
        return begins

    def reset(self) -> None:
        """The turn is over: the client has committed or cleared it."""
        self.is_speaking = self._is_voiced = False
