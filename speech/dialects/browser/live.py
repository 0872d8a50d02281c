"""The live page's socket: docs/browser-protocol.md."""

import uuid
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, Endpointing
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.errors import ProtocolError, StreamError
from speech.live.stream import Intent, Stream

MAX_AUDIO = 64 * 1024  # bytes


Samples = Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]


class Start(Command, frozen=True):
    engine: str = ""
    language: str = ""
    wait: bool = False
    session: uuid.UUID | None = None
    audio: bool = False  # keep the sound
    endpointing: Endpointing | None = None


class Pause(Command, frozen=True):
    dropped: Samples = 0


class Resume(Command, frozen=True):
    pass


class Stop(Command, frozen=True):
    dropped: Samples = 0


class LiveSocket(BrowserSocket[Start]):
    commands = msgspec.json.Decoder(Start | Pause | Resume | Stop | Ping)
    start = Start
    max_text = 2_000

    def create_job(self, start: Start) -> None:
        self._stream = Stream(
            self.user,
            self.send_event,
            engine=start.engine,
            language=start.language,
            wait=start.wait,
            session=start.session,
            saves_audio=start.audio,
            endpointing=start.endpointing,
        )

    async def run(self) -> None:
        await self._stream.run()

    def on_command(self, command: Command) -> None:
        match command:
            case Pause(dropped=dropped):
                self._stream.set_intent(Intent.PAUSE, dropped)
            case Stop(dropped=dropped):
                self._stream.set_intent(Intent.STOP, dropped)
            case Resume():
                self._stream.set_intent(Intent.RUN)

    def on_binary(self, data: bytes) -> None:
        if len(data) > MAX_AUDIO:
            raise ProtocolError(f"A message of {len(data)} bytes is too large.", f"The bound is {MAX_AUDIO} bytes.")
        if len(data) % BYTES_PER_SAMPLE:
            raise ProtocolError(f"Audio of {len(data)} bytes is no whole number of samples.", "A sample is two bytes.")
        if not self.has_begun or not self._stream.accepts_audio:
            raise ProtocolError("Audio came when none was asked for.", "It is sent after “ready” and not in a pause.")
        self._stream.feed(data)

    def fail(self, error: StreamError) -> None:
        self._stream.fail(error)

    def detach(self) -> None:
        self._stream.detach()
