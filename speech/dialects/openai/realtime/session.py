"""OpenAI's session, the options of a transcription, in its current format and in that of its beta."""

from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from speech.dialects.audio import AudioDecoder
from speech.dialects.openai.errors import BadRequest
from speech.dialects.openai.realtime.turn_detection import TurnDetection

RATE = 24_000  # Hz
TELEPHONE_RATE = 8_000
FORMATS = {
    "audio/pcm": ("s16le", RATE),
    "audio/pcmu": ("mulaw", TELEPHONE_RATE),
    "audio/pcma": ("alaw", TELEPHONE_RATE),
}
BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
LIVE_MODELS = ("gpt-realtime-whisper", "gpt-live-transcribe")
"""OpenAI's models that transcribe while the user speaks. All others begin when the turn is committed."""


class Format(msgspec.Struct):
    type: str = "audio/pcm"
    rate: int | None = None


class Transcription(msgspec.Struct):
    model: str | None = None
    language: str | None = None


class Input(msgspec.Struct):
    format: Format | UnsetType | None = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET


class Audio(msgspec.Struct):
    input: Input = msgspec.field(default_factory=Input)


class Update(msgspec.Struct):
    """Changes of a session. Omitted fields stay as they are."""

    type: str = "transcription"
    audio: Audio | None = None
    include: list[str] | None = None
    # Fields of the beta.
    input_audio_format: str | UnsetType = UNSET
    input_audio_transcription: Transcription | UnsetType | None = UNSET
    turn_detection: TurnDetection | UnsetType | None = UNSET

    @property
    def input(self) -> Input:
        if self.audio:
            return self.audio.input
        format = self.input_audio_format
        known = UNSET if format is UNSET else Format(BETA_FORMATS.get(str(format), str(format)))
        return Input(known, self.input_audio_transcription, self.turn_detection)


@dataclass(frozen=True)
class Session:
    id: str
    model: str = ""
    """As the client names it."""
    engine: str = ""
    """The engine of this name, or "" for any."""
    language: str = ""
    format: str = "audio/pcm"
    turn_detection: TurnDetection | None = field(default_factory=TurnDetection)
    """None: the client commits turns itself."""
    include: tuple[str, ...] = ()

    def updated(self, update: Update) -> "Session":
        """The session with the changes. Raises `BadRequest`."""
        new, changes = update.input, dict[str, Any]()
        if update.type != "transcription":
            what = f"Unsupported session type “{update.type}”."
            raise BadRequest("session.type", what, "Only “transcription” is supported.")
        if new.format:
            _check_format(new.format)
            changes["format"] = new.format.type
        if new.transcription:
            changes["model"] = new.transcription.model or self.model
            changes["language"] = new.transcription.language or self.language
        if not isinstance(new.turn_detection, UnsetType):
            if new.turn_detection:
                new.turn_detection.check()
            changes["turn_detection"] = new.turn_detection
        if update.include is not None:
            changes["include"] = tuple(update.include)
        return replace(self, **changes)

    @property
    def has_live_deltas(self) -> bool:
        """Whether words are sent before their turn is committed: if the client names an engine of this site, or one of
        `LIVE_MODELS`."""
        return self.model in LIVE_MODELS or self.model == self.engine != ""

    def decoder(self) -> AudioDecoder:
        return AudioDecoder(*FORMATS[self.format])

    @property
    def to_dict(self) -> dict[str, Any]:
        """What is in force."""
        rate = {"rate": RATE} if self.format == "audio/pcm" else {}
        return {
            "id": self.id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": self.format, **rate},
                    "transcription": self._transcription,
                    "noise_reduction": None,
                    "turn_detection": self._turn_detection,
                }
            },
            "include": list(self.include),
        }

    @property
    def to_beta_dict(self) -> dict[str, Any]:
        """The same in the format of the beta."""
        beta_names = {name: beta_name for beta_name, name in BETA_FORMATS.items()}
        return {
            "id": self.id,
            "object": "realtime.transcription_session",
            "input_audio_format": beta_names[self.format],
            "input_audio_transcription": self._transcription,
            "input_audio_noise_reduction": None,
            "turn_detection": self._turn_detection,
            "include": list(self.include),
        }

    @property
    def _transcription(self) -> dict[str, Any]:
        return {"model": self.model or None, "language": self.language or None, "prompt": ""}

    @property
    def _turn_detection(self) -> dict[str, Any] | None:
        return self.turn_detection.to_dict if self.turn_detection else None


def _check_format(format: Format) -> None:
    if format.type not in FORMATS:
        why = f"Supported formats: {', '.join(FORMATS)}."
        raise BadRequest("session.audio.input.format", f"Unsupported format “{format.type}”.", why)
    rate = FORMATS[format.type][1]
    if format.rate not in (None, rate):
        why = f"The rate of {format.type} is {rate}."
        raise BadRequest("session.audio.input.format.rate", f"Unsupported rate {format.rate}.", why)
