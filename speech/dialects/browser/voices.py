"""The socket of the page of voices: docs/voices.md."""

import asyncio
from typing import Annotated

import msgspec

from inference.messages import BYTES_PER_SAMPLE, SAMPLE_RATE
from speech import events
from speech.dialects.browser.socket import Command, PageSocket, Ping
from speech.errors import CloseCode, ProtocolError, StreamError
from speech.synthesis.job import Speaking

WINDOW = int(2.5 * SAMPLE_RATE)
"""Samples on the way to the page, 120 kB. Beyond it a client that reads slowly would be taken for one that does not."""
TAKEN_WITHIN = 30.0


class Start(Command, frozen=True):
    engine: str = ""
    voice: str = ""
    language: str = ""
    controls: dict[str, float] = {}
    wait: bool = False


class Say(Command, frozen=True):
    text: str


class Finish(Command, frozen=True):
    pass


class Stop(Command, frozen=True):
    pass


class Taken(Command, frozen=True):
    sample: Annotated[int, msgspec.Meta(ge=0, lt=1 << 60)]


class TookNothing(StreamError):
    code = CloseCode.TOO_SLOW
    what = "The page took no audio for half a minute."
    why = "It is asleep, or the network is too slow."
    todo = "Try again."


class Voices(PageSocket[Start]):
    commands = msgspec.json.Decoder(Start | Say | Finish | Stop | Taken | Ping)
    start = Start
    longest_text = 20_000

    def begin(self, start: Start) -> None:
        self._sent = self._taken = 0  # samples
        self._has_room = asyncio.Event()
        self._job = Speaking(
            self.user,
            self._tell_in_turn,
            engine=start.engine,
            voice=start.voice,
            language=start.language,
            controls=start.controls,
            wait=start.wait,
        )

    async def run(self) -> None:
        await self._job.run()

    def obey(self, command: Command) -> None:
        match command:
            case Say(text=text):
                self._job.say(text)
            case Finish():
                self._job.finish()
            case Stop():
                self.abandon()
            case Taken(sample=sample):
                self._taken = max(self._taken, min(sample, self._sent))
                self._has_room.set()

    def hear(self, data: bytes) -> None:
        raise ProtocolError("A binary message came.", "What is to be spoken is text.")

    def fail(self, error: StreamError) -> None:
        self._job.fail(error)
        self._has_room.set()

    def abandon(self) -> None:
        self._job.stop()
        self._taken = self._sent
        self._has_room.set()

    async def _tell_in_turn(self, event: events.Event) -> None:
        if not isinstance(event, events.Audio):
            await self.tell(event)
            return
        await self._room()
        self._sent += len(event.pcm) // BYTES_PER_SAMPLE
        await self.send(bytes_data=event.pcm)

    async def _room(self) -> None:
        try:
            async with asyncio.timeout(TAKEN_WITHIN):
                while self._sent - self._taken > WINDOW:
                    self._has_room.clear()
                    await self._has_room.wait()
                    if self._job.is_ending:
                        return
        except TimeoutError:
            raise TookNothing from None
