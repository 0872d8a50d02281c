"""What Kyutai's clients and servers say to each other: MessagePack maps with the name of the message under `type`, the
fields in the order in which they are declared. Times are float64, lists of floats float32, whole numbers as short as
they can be."""

from typing import Annotated, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt

from speech.errors import ProtocolError

T = TypeVar("T")
Samples = npt.NDArray[np.float32]


class Message(msgspec.Struct, frozen=True, tag_field="type"):
    def encoded(self) -> bytes:
        return msgspec.msgpack.encode(self)


# --- From the server ----------------------------------------------------------------------------------------------


class Ready(Message, frozen=True):
    pass


class Step(Message, frozen=True):
    step_idx: int
    prs: msgspec.Raw  # float32[4], as `floats` has them
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


# --- Both ways ----------------------------------------------------------------------------------------------------


class Marker(Message, frozen=True):
    id: Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]


# --- From the client ----------------------------------------------------------------------------------------------


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


ClientMessage = Audio | OggOpus | Marker | Init
ServerMessage = Text | Voice | Eos

_heard: msgspec.msgpack.Decoder[ClientMessage] = msgspec.msgpack.Decoder(ClientMessage)
_told: msgspec.msgpack.Decoder[ServerMessage] = msgspec.msgpack.Decoder(ServerMessage)


def decode_client(data: bytes) -> ClientMessage:
    """Of a client that speaks. Raises `ProtocolError`."""
    return _decode(_heard, data)


def decode_server(data: bytes) -> ServerMessage:
    """Of a client that has something spoken. Raises `ProtocolError`."""
    return _decode(_told, data)


def _decode(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError("A message could not be read.", str(error), "Send MessagePack as Kyutai's.") from None


def floats(values: Samples) -> msgspec.Raw:
    """An array of float32. `msgspec` knows float64 alone, and this is done for every frame."""
    count = len(values)
    head = bytes([0x90 | count]) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    body = np.empty(count, dtype=[("kind", "u1"), ("value", ">f4")])
    body["kind"], body["value"] = 0xCA, values
    return msgspec.Raw(head + body.tobytes())
