"""Socket of the live page: docs/browser-protocol.md."""

import uuid
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, Endpointing
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.errors import ProtocolError
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent

MAX_AUDIO = 64 * 1024  # bytes


Samples = Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]


class Start(Command, frozen=True):
    engine: str = ""
    language: str = ""
    wait: bool = False
    session: uuid.UUID | None = None
    audio: bool = False  # save the audio
    endpointing: Endpointing | None = None


class Pause(Command, frozen=True):
    dropped: Samples = 0


class Resume(Command, frozen=True):
    pass


class Stop(Command, frozen=True):
    dropped: Samples = 0


class LiveSocket(BrowserSocket[Start, Stream]):
    commands = msgspec.json.Decoder(Start | Pause | Resume | Stop | Ping)
    start = Start
    max_text = 2_000

    def create_job(self, start: Start) -> Stream:
        options = StreamOptions(
            engine=start.engine,
            language=start.language,
            wait=start.wait,
            session=start.session,
            saves_audio=start.audio,
            endpointing=start.endpointing,
        )
        return Stream(self.user, self.send_event, options)

    def on_command(self, job: Stream, command: Command) -> None:
        match command:
            case Pause(dropped=dropped):
                job.set_intent(Intent.PAUSE, dropped)
            case Stop(dropped=dropped):
                job.set_intent(Intent.STOP, dropped)
            case Resume():
                job.set_intent(Intent.RUN)

    def on_binary(self, job: Stream | None, data: bytes) -> None:
        pcm = checked_audio(data)
        if job is None or not job.accepts_audio:
            raise ProtocolError("Unexpected audio.", "Send audio only after “ready” and not while paused.")
        job.feed(pcm)

    def detach_job(self, job: Stream) -> None:
        job.detach()


def checked_audio(data: bytes) -> bytes:
    """The audio of a binary message. Raises `ProtocolError` if it is too large or not a whole number of samples."""
    if len(data) > MAX_AUDIO:
        raise ProtocolError(f"A message of {len(data)} bytes is too large.", f"The limit is {MAX_AUDIO} bytes.")
    if len(data) % BYTES_PER_SAMPLE:
        raise ProtocolError(f"{len(data)} bytes isn't a whole number of samples.", "A sample is 2 bytes.")
    return data
