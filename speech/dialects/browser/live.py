"""The live page's socket: docs/browser-protocol.md."""

import uuid
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, Endpointing
from speech.dialects.browser.socket import Command, PageSocket, Ping
from speech.errors import ProtocolError, StreamError
from speech.live.stream import Stream, Wish

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


class Live(PageSocket[Start]):
    commands = msgspec.json.Decoder(Start | Pause | Resume | Stop | Ping)
    start = Start
    longest_text = 2_000

    def begin(self, start: Start) -> None:
        self._stream = Stream(
            self.user,
            self.tell,
            engine=start.engine,
            language=start.language,
            wait=start.wait,
            session=start.session,
            keeps_audio=start.audio,
            endpointing=start.endpointing,
        )

    async def run(self) -> None:
        await self._stream.run()

    def obey(self, command: Command) -> None:
        match command:
            case Pause(dropped=dropped):
                self._stream.wish(Wish.PAUSE, dropped)
            case Stop(dropped=dropped):
                self._stream.wish(Wish.STOP, dropped)
            case Resume():
                self._stream.wish(Wish.RUN)

    def hear(self, data: bytes) -> None:
        if len(data) > MAX_AUDIO:
            raise ProtocolError(f"A message of {len(data)} bytes is too large.", f"The bound is {MAX_AUDIO} bytes.")
        if len(data) % BYTES_PER_SAMPLE:
            raise ProtocolError(f"Audio of {len(data)} bytes is no whole number of samples.", "A sample is two bytes.")
        if not self.has_begun or not self._stream.accepts_audio:
            raise ProtocolError("Audio came when none was asked for.", "It is sent after “ready” and not in a pause.")
        self._stream.feed(data)

    def fail(self, error: StreamError) -> None:
        self._stream.fail(error)

    def abandon(self) -> None:
        self._stream.abandon()
