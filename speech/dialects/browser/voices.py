"""The socket of the page of voices: docs/voices.md."""

import asyncio
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.errors import CloseCode, ProtocolError, StreamError
from speech.synthesis.job import SynthesisJob

SEND_WINDOW = int(2.5 * SAMPLE_RATE)
"""Samples on the way to the page, 120 kB. Beyond it a client that reads slowly would be taken for one that does not."""
ACK_TIMEOUT = 30.0


class Start(Command, frozen=True):
    engine: str = ""
    voice: str = ""
    language: str = ""
    controls: dict[str, float] = {}
    wait: bool = False


class Text(Command, frozen=True):
    text: str


class Finish(Command, frozen=True):
    pass


class Stop(Command, frozen=True):
    pass


class Ack(Command, frozen=True):
    sample: Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]


class NotReading(StreamError):
    code = CloseCode.TOO_SLOW
    what = "The page took no audio for half a minute."
    why = "It is asleep, or the network is too slow."
    action = "Try again."


class VoicesSocket(BrowserSocket[Start]):
    commands = msgspec.json.Decoder(Start | Text | Finish | Stop | Ack | Ping)
    start = Start
    max_text = 20_000

    def create_job(self, start: Start) -> None:
        self._sent = self._acknowledged = 0  # samples
        self._has_room = asyncio.Event()
        self._job = SynthesisJob(
            self.user,
            self._send_in_order,
            engine=start.engine,
            voice=start.voice,
            language=start.language,
            controls=start.controls,
            wait=start.wait,
        )

    async def run(self) -> None:
        await self._job.run()

    def on_command(self, command: Command) -> None:
        match command:
            case Text(text=text):
                self._job.add_text(text)
            case Finish():
                self._job.finish()
            case Stop():
                self.detach()
            case Ack(sample=sample):
                self._acknowledged = max(self._acknowledged, min(sample, self._sent))
                self._has_room.set()

    def on_binary(self, data: bytes) -> None:
        raise ProtocolError("A binary message came.", "What is to be spoken is text.")

    def fail(self, error: StreamError) -> None:
        self._job.fail(error)
        self._has_room.set()

    def detach(self) -> None:
        self._job.stop()
        self._acknowledged = self._sent
        self._has_room.set()

    async def _send_in_order(self, event: events.Event) -> None:
        if not isinstance(event, events.Audio):
            await self.send_event(event)
            return
        await self._wait_for_window()
        self._sent += len(event.pcm) // BYTES_PER_SAMPLE
        await self.send(bytes_data=event.pcm)

    async def _wait_for_window(self) -> None:
        try:
            async with asyncio.timeout(ACK_TIMEOUT):
                while self._sent - self._acknowledged > SEND_WINDOW:
                    self._has_room.clear()
                    await self._has_room.wait()
                    if self._job.is_ending:
                        return
        except TimeoutError:
            raise NotReading from None
