"""OpenAI's session, the options of a transcription, in its current format and in that of its beta."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from speech.dialects.audio import AudioDecoder
from speech.dialects.openai.errors import BadRequest
from speech.dialects.openai.model_aliases import MODEL_ALIASES

RATE = 24_000  # Hz
TELEPHONE_RATE = 8_000
FORMATS = {
    "audio/pcm": ("s16le", RATE),
    "audio/pcmu": ("mulaw", TELEPHONE_RATE),
    "audio/pcma": ("alaw", TELEPHONE_RATE),
}
BETA_FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
SERVER_VAD = {"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 300}
"""Reported to clients; the engine's own endpointing applies."""


class Format(msgspec.Struct):
    type: str = "audio/pcm"


class Transcription(msgspec.Struct):
    model: str | None = None
    language: str | None = None


class Input(msgspec.Struct):
    format: Format | UnsetType = UNSET
    transcription: Transcription | UnsetType | None = UNSET
    turn_detection: dict[str, Any] | UnsetType | None = UNSET


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
    turn_detection: dict[str, Any] | UnsetType | None = UNSET

    @property
    def input(self) -> Input:
        if self.audio:
            return self.audio.input
        format = self.input_audio_format
        known = UNSET if format is UNSET else Format(BETA_FORMATS.get(str(format), str(format)))
        return Input(known, self.input_audio_transcription, self.turn_detection)


class Session:
    def __init__(self, id: str, model: str = "", language: str = "") -> None:
        self.id = id
        self.format = "audio/pcm"
        self.model = model
        self.language = language
        self.has_server_vad = True
        self.include: list[str] = []

    def update(self, update: Update) -> None:
        """Apply the changes. Raises `BadRequest` without applying any."""
        new = update.input
        if update.type != "transcription":
            what = f"Unsupported session type “{update.type}”."
            raise BadRequest("session.type", what, "Only “transcription” is supported.")
        if new.format and new.format.type not in FORMATS:
            why = f"Supported formats: {', '.join(FORMATS)}."
            raise BadRequest("session.audio.input.format", f"Unsupported format “{new.format.type}”.", why)
        self.format = new.format.type if new.format else self.format
        if new.transcription:
            self.model = new.transcription.model or self.model
            self.language = new.transcription.language or self.language
        if new.turn_detection is not UNSET:
            self.has_server_vad = new.turn_detection is not None
        self.include = update.include or self.include

    @property
    def engine(self) -> str:
        return "" if MODEL_ALIASES["stt"].fullmatch(self.model) else self.model

    def decoder(self) -> AudioDecoder:
        return AudioDecoder(*FORMATS[self.format])

    @property
    def to_dict(self) -> dict[str, Any]:
        rate = {"rate": RATE} if self.format == "audio/pcm" else {}
        return {
            "id": self.id,
            "object": "realtime.transcription_session",
            "type": "transcription",
            "audio": {
                "input": {
                    "format": {"type": self.format, **rate},
                    "transcription": {"model": self.model, "language": self.language, "prompt": ""},
                    "noise_reduction": None,
                    "turn_detection": SERVER_VAD if self.has_server_vad else None,
                }
            },
            "include": self.include,
        }
