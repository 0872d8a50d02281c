"""Streams over a channel layer that takes its time and loses, doubles or refuses what it is given."""

import asyncio
import contextlib

import msgspec
import pytest
from channels.exceptions import ChannelFull

from accounts.models import User
from inference import scheduler
from inference.engines import ENGINES
from inference.messages import Audio, Close, Marker, Open, Ready, Word
from inference.outbox import decode_down, decode_up
from inference.worker import Worker, run_workers
from speech import events
from speech.live.stream import Stream
from speech.live.stream_state import Intent
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer


class Lossy:
    """In front of a layer: does something to the first bundles that have a message of a kind."""

    def __init__(self, layer, kind: type, fault: str, times: int) -> None:
        self.layer, self.kind, self.fault, self.times = layer, kind, fault, times
        self._send, self._receive = layer.send, layer.receive
        layer.send, layer.receive = self.send, self.receive

    async def send(self, channel: str, message) -> None:
        await asyncio.sleep(0.002)
        fault = self.fault if self.times and self._has_kind(message) else ""
        self.times -= bool(fault)
        if fault == "refused":
            raise ChannelFull
        if fault != "lost":
            await self._send(channel, message)
        if fault == "doubled":
            await self._send(channel, message)
        await asyncio.sleep(0.002)

    async def receive(self, channel: str):
        message = await self._receive(channel)
        await asyncio.sleep(0.002)
        return message

    def _has_kind(self, message) -> bool:
        if message["type"] == "open":
            return self.kind is Open
        if message["type"] != "bundle":
            return False
        for decode in (decode_up, decode_down):
            with contextlib.suppress(msgspec.ValidationError):
                return any(isinstance(item, self.kind) for _, _, item in decode(message["data"]))
        return False


class Speaker:
    def __init__(self, seed: int) -> None:
        self.pcm = noise(30, seed)
        self.told: list[events.Event] = []
        self.stream = Stream(User(pk=1), self.tell, wait=True, keep=False)
        self.task = asyncio.create_task(self.stream.run())
        self.is_ready = asyncio.Event()

    async def tell(self, event: events.Event) -> None:
        self.told.append(event)
        if isinstance(event, events.Ready):
            self.is_ready.set()

    async def speak(self) -> None:
        await self.is_ready.wait()
        for start in range(0, len(self.pcm), 7_000):
            self.stream.feed(self.pcm[start : start + 7_000])
            await asyncio.sleep(0)
        self.stream.set_intent(Intent.STOP)
        await self.task

    @property
    def words(self) -> list[str]:
        """As the page has them: an interruption takes back what comes again."""
        words: dict[int, str] = {}
        for event in self.told:
            match event:
                case events.Word():
                    words[event.index] = event.text
                case events.Interrupted():
                    words = {index: text for index, text in words.items() if index < event.words}
        return [words[index] for index in sorted(words)]


@pytest.mark.parametrize(
    ("kind", "fault", "times"),
    [
        (Audio, "", 0),  # slow alone
        (Ready, "lost", 1),
        (Ready, "doubled", 2),
        (Word, "lost", 1),
        (Word, "doubled", 5),
        (Word, "refused", 3),
        (Marker, "lost", 1),
        (Audio, "lost", 1),
        (Audio, "doubled", 5),
        (Audio, "refused", 3),
        (Close, "lost", 1),
        (Open, "doubled", 3),
    ],
)
async def test_every_word_comes_once_and_every_slot_is_free_again(monkeypatch, kind, fault, times):
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 0.5 if fault == "lost" else 1000.0)
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.05)
    async with isolated_layer() as layer:
        Lossy(layer, kind, fault, times)
        workers = [Worker(layer, ENGINES["checksum"], slots=3) for _ in range(2)]
        task = asyncio.create_task(run_workers(workers))
        try:
            async with asyncio.timeout(60):
                speakers = [Speaker(seed) for seed in range(3)]
                await asyncio.gather(*(speaker.speak() for speaker in speakers))
                for speaker in speakers:
                    assert speaker.words == words_of(speaker.pcm)
                    assert isinstance(speaker.told[-1], events.Done)
                while sum(worker._scheduler.free for worker in workers) < 6:
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
