"""A live stream whose engine the test plays: it grants the slots and posts the engine's messages itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from accounts.models import User
from inference.messages import Audio, Down, Marker, Ready, Step
from speech.events import Event
from speech.live import inbox, stream
from speech.live.stream_options import StreamOptions
from tests.support.speech.link import isolated_layer


class Slot:
    """A connection that keeps what was sent."""

    id = "slot"

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.is_open = True

    def send(self, message: Any) -> None:
        assert self.is_open
        self.sent.append(message)

    def close(self) -> None:
        self.is_open = False

    @property
    def pcm(self) -> bytes:
        return b"".join(message.pcm for message in self.sent if isinstance(message, Audio))

    @property
    def markers(self) -> list[int]:
        return [message.id for message in self.sent if isinstance(message, Marker)]


class SlotRequest:
    """Stands in for the stream's own; grants a slot at once while `grants` is true."""

    grants = True

    def __init__(self, link: Any, receive: Callable[[Down], None], **options: Any) -> None:
        self.engine, self.language = options["engine"] or "played", options["language"] or "en"
        self.may_wait: bool = options["may_wait"]
        self.options = options
        self.answers: list[Event | Exception] = []
        """What the next calls of `poll` return or raise."""
        self.positions: list[int] = []
        self.endpointing: Any = None
        self.is_open = False
        self._receive = receive
        self._granted: Slot | None = None

    async def poll(self, position: int, *, endpointing: Any = None, **_: Any) -> Event | None:
        self.is_open = True
        self.positions.append(position)
        self.endpointing = endpointing
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        if self.grants and self._granted is None:
            self._granted = Slot()
            self._receive(Ready("worker"))
        return None

    def claim(self) -> Slot | None:
        granted, self._granted = self._granted, None
        if granted:
            self.close()
        return granted

    def close(self) -> None:
        self.is_open = False
        self._granted = None


class PlayedStream:
    def __init__(self, owner: User, before_end: Callable[["PlayedStream"], None] | None = None, **options: Any) -> None:
        self.received: list[Event] = []
        self.stream = stream.Stream(
            owner,
            self._on_event,
            StreamOptions(**options),
            *([lambda: before_end(self)] if before_end else []),
        )
        self.request: SlotRequest = self.stream._slot_request  # type: ignore[assignment]
        self.task = asyncio.create_task(self.stream.run())

    async def _on_event(self, event: Event) -> None:
        self.received.append(event)

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.received if isinstance(event, kind)]

    @property
    def slot(self) -> Slot:
        slot: Any = self.stream._audio._connection
        assert slot
        return slot

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                if self.task.done():
                    self.task.result()
                    assert condition(), "the stream has ended"
                await asyncio.sleep(0.001)

    async def is_ready(self) -> "PlayedStream":
        await self.until(lambda: self.stream.accepts_audio and self.stream._audio.has_slot)
        return self

    async def post(self, *messages: Down) -> None:
        """The engine's messages, until they are handled, or the stream has ended."""
        for message in messages:
            self.stream._post(message)
        await self.until(lambda: self.task.done() or not len(self.stream._inbox))
        await asyncio.sleep(0.005)

    async def process(self, sample: int) -> None:
        """All words before `sample` are final."""
        await self.post(Step(sample, sample, 1.0))

    async def process_to_end(self) -> None:
        """As an engine does on the marker that no audio follows."""
        slot = self.slot
        await self.until(lambda: slot.markers[-1:] == [0])
        await self.post(Marker(0))


@asynccontextmanager
async def played_streams(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., PlayedStream]]:
    """A function that starts a stream, by default one that is not saved."""
    monkeypatch.setattr(inbox, "TICK", 0.01)
    monkeypatch.setattr(stream, "SlotRequest", SlotRequest)
    streams: list[PlayedStream] = []

    def start(owner: User | None = None, **options: Any) -> PlayedStream:
        owner = owner or User(pk=1, email="a@example.org")
        streams.append(PlayedStream(owner, **{"wait": True, "keep": owner.status == "approved", **options}))
        return streams[-1]

    async with isolated_layer():
        yield start
        for each in streams:
            each.task.cancel()
        await asyncio.gather(*(each.task for each in streams), return_exceptions=True)
