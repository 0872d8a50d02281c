"""Streams over a slow channel layer that loses, duplicates or rejects messages."""

import asyncio
import contextlib

import msgspec
import pytest
from channels.exceptions import ChannelFull

from accounts.models import User
from inference import scheduler
from inference.engines.registry import ENGINES
from inference.messages import Audio, Close, Marker, Open, Ready, Word
from inference.outbox import decode_down, decode_up
from inference.worker import Worker, run_workers
from speech import events
from speech.gateway import slot_request
from speech.live import inbox
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer


class LossyLayer:
    """Wraps a channel layer: applies a fault to the first `times` bundles that have a message of a kind."""

    def __init__(self, layer, kind: type, fault: str, times: int) -> None:
        self.layer, self.kind, self.fault, self.times = layer, kind, fault, times
        self._send, self._receive = layer.send, layer.receive
        layer.send, layer.receive = self.send, self.receive

    async def send(self, channel: str, message) -> None:
        await asyncio.sleep(0.002)
        fault = self.fault if self.times and self._has_kind(message) else ""
        self.times -= bool(fault)
        if fault == "rejected":
            raise ChannelFull
        if fault != "lost":
            await self._send(channel, message)
        if fault == "duplicated":
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
        self.events: list[events.Event] = []
        self.stream = Stream(User(pk=1), self.on_event, StreamOptions(wait=True, keep=False))
        self.task = asyncio.create_task(self.stream.run())
        self.is_ready = asyncio.Event()

    async def on_event(self, event: events.Event) -> None:
        self.events.append(event)
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
        """Words as a page shows them: an interruption removes those that will be sent again."""
        words: dict[int, str] = {}
        for event in self.events:
            match event:
                case events.Word():
                    words[event.index] = event.text
                case events.Interrupted():
                    words = {index: text for index, text in words.items() if index < event.words}
        return [words[index] for index in sorted(words)]


@pytest.mark.parametrize(
    ("kind", "fault", "times"),
    [
        (Audio, "", 0),  # only slow
        (Ready, "lost", 1),
        (Ready, "duplicated", 2),
        (Word, "lost", 1),
        (Word, "duplicated", 5),
        (Word, "rejected", 3),
        (Marker, "lost", 1),
        (Audio, "lost", 1),
        (Audio, "duplicated", 5),
        (Audio, "rejected", 3),
        (Close, "lost", 1),
        (Open, "duplicated", 3),
    ],
)
async def test_every_word_arrives_once_and_every_slot_is_released(monkeypatch, kind, fault, times):
    monkeypatch.setattr(inbox, "TICK", 0.02)
    monkeypatch.setattr(slot_request, "RETRY_AFTER", 0.2)
    monkeypatch.setattr(scheduler, "IDLE_TIMEOUT", 0.3 if fault == "lost" else 1000.0)
    monkeypatch.setattr(scheduler, "REAP_INTERVAL", 0.05)
    async with isolated_layer() as layer:
        LossyLayer(layer, kind, fault, times)
        workers = [Worker(layer, ENGINES["checksum"], slots=3) for _ in range(2)]
        task = asyncio.create_task(run_workers(workers))
        try:
            async with asyncio.timeout(60):
                speakers = [Speaker(seed) for seed in range(3)]
                await asyncio.gather(*(speaker.speak() for speaker in speakers))
                for speaker in speakers:
                    assert speaker.words == words_of(speaker.pcm)
                    assert isinstance(speaker.events[-1], events.Done)
                while sum(worker._scheduler.free for worker in workers) < 6:
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
