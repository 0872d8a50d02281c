"""The socket of the page of voices: docs/voices.md."""

import asyncio
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialects.browser.socket import BrowserSocket, Command, Ping
from speech.errors import CloseCode, ProtocolError, StreamError
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions

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
    what = "The page accepted no audio for 30 seconds."
    why = "The tab is suspended, or the network is too slow."
    action = "Try again."


class VoicesSocket(BrowserSocket[Start, SynthesisJob]):
    commands = msgspec.json.Decoder(Start | Text | Finish | Stop | Ack | Ping)
    start = Start
    max_text = 20_000

    def create_job(self, start: Start) -> SynthesisJob:
        self._sent = self._acknowledged = 0  # samples
        self._has_room = asyncio.Event()
        options = SynthesisOptions(start.engine, start.voice, start.language, start.controls, start.wait)
        return SynthesisJob(self.user, self._send_in_order, options)

    def on_command(self, job: SynthesisJob, command: Command) -> None:
        match command:
            case Text(text=text):
                job.add_text(text)
            case Finish():
                job.finish()
            case Stop():
                self.detach_job(job)
            case Ack(sample=sample):
                self._acknowledged = max(self._acknowledged, min(sample, self._sent))
                self._has_room.set()

    def on_binary(self, job: SynthesisJob | None, data: bytes) -> None:
        raise ProtocolError("Unexpected binary message.", "Send text.")

    def fail_job(self, job: SynthesisJob, error: StreamError) -> None:
        job.fail(error)
        self._has_room.set()

    def detach_job(self, job: SynthesisJob) -> None:
        job.stop()
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
                    if self.job and self.job.is_ending:
                        return
        except TimeoutError:
            raise NotReading from None
