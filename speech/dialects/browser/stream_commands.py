"""What the sockets of the live page and the Talk page share: the commands and the audio of a live stream."""

import uuid
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE
from speech.dialects.browser.socket import Command
from speech.errors import ProtocolError
from speech.live.stream_options import StreamOptions

MAX_AUDIO = 64 * 1024  # bytes

Samples = Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]


class StartStream(Command, frozen=True):
    engine: str = ""
    language: str = ""
    wait: bool = False
    session: uuid.UUID | None = None
    audio: bool = False  # save the audio

    @property
    def stream_options(self) -> StreamOptions:
        return StreamOptions(
            engine=self.engine,
            language=self.language,
            wait=self.wait,
            session=self.session,
            saves_audio=self.audio,
        )


class Stop(Command, frozen=True):
    dropped: Samples = 0


def checked_audio(data: bytes) -> bytes:
    """The audio of a binary message. Raises `ProtocolError` if it is too large or not a whole number of samples."""
    if len(data) > MAX_AUDIO:
        raise ProtocolError(f"A message of {len(data)} bytes is too large.", f"The limit is {MAX_AUDIO} bytes.")
    if len(data) % BYTES_PER_SAMPLE:
        raise ProtocolError(f"{len(data)} bytes isn't a whole number of samples.", "A sample is 2 bytes.")
    return data
