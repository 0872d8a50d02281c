"""Messages of Kyutai's protocol: MessagePack maps with the message's name as `type` and the fields in declared order.

Times are float64, lists of floats float32, integers as short as possible.
"""

from typing import Annotated, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from speech.errors import ProtocolError
from speech.text.json_input import InvalidInput, decode_binary

T = TypeVar("T")
Samples = npt.NDArray[np.float32]


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    def encoded(self) -> bytes:
        return msgspec.msgpack.encode(self)


# --- Server messages ----------------------------------------------------------------------------------------------


class Ready(Message, frozen=True):
    pass


class Step(Message, frozen=True):
    step_idx: int
    prs: msgspec.Raw  # float32[4], encoded by `floats`
    buffered_pcm: int


class Word(Message, frozen=True):
    text: str
    start_time: float


class EndWord(Message, frozen=True):
    stop_time: float


class Error(Message, frozen=True):
    message: str


class SpokenText(Message, frozen=True, tag="Text"):
    text: str
    start_s: float
    stop_s: float


class SpokenAudio(Message, frozen=True, tag="Audio"):
    pcm: msgspec.Raw  # float32[1920]


class SpokenOpus(Message, frozen=True, tag="OggOpus"):
    data: list[int]


# --- Both directions ----------------------------------------------------------------------------------------------


class Marker(Message, frozen=True):
    id: Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


# --- Client messages ----------------------------------------------------------------------------------------------


class Audio(Message, frozen=True):
    pcm: list[float]


class OggOpus(Message, frozen=True):
    data: list[int] | bytes


class Init(Message, frozen=True):
    pass


class Text(Message, frozen=True):
    text: str


class Voice(Message, frozen=True):
    embeddings: list[float]
    shape: list[int]


class Eos(Message, frozen=True):
    pass


AsrMessage = Audio | OggOpus | Marker | Init
TtsMessage = Text | Voice | Eos

_asr_decoder: msgspec.msgpack.Decoder[AsrMessage] = msgspec.msgpack.Decoder(AsrMessage)
_tts_decoder: msgspec.msgpack.Decoder[TtsMessage] = msgspec.msgpack.Decoder(TtsMessage)


def decode_asr(data: bytes) -> AsrMessage:
    """Decode a message of a speech-to-text client. Raises `ProtocolError`."""
    return _decode(_asr_decoder, data)


def decode_tts(data: bytes) -> TtsMessage:
    """Decode a message of a text-to-speech client. Raises `ProtocolError`."""
    return _decode(_tts_decoder, data)


def _decode(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    try:
        return decode_binary(decoder, data)
    except InvalidInput as error:
        raise ProtocolError("Invalid message.", str(error), "Send MessagePack in Kyutai's format.") from None


def floats(values: Samples) -> msgspec.Raw:
    """Encode an array of float32, for every frame; `msgspec` encodes float64 only."""
    count = len(values)
    head = bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    body = np.empty(count, dtype=[("kind", "u1"), ("value", ">f4")])
    body["kind"], body["value"] = 0xCA, values
    return msgspec.Raw(head + body.tobytes())
