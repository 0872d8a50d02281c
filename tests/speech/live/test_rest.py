"""A live stream that gets no audio for a while gives its slot back, and goes on when audio comes."""

import asyncio

import pytest

from accounts.models import User
from inference.engines.registry import ENGINES
from inference.engines.testing.checksum import WORD_FRAMES
from inference.messages import FRAME_BYTES
from inference.worker import Worker
from speech import events
from speech.live import inbox, stream_state
from speech.live.audio_buffer import AudioBuffer
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import REST_AFTER, Intent, State
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer

PCM = noise(6 * WORD_FRAMES)
PART = 2 * WORD_FRAMES * FRAME_BYTES


@pytest.mark.parametrize("state", State)
def test_only_a_running_stream_rests(state):
    assert state.after_silence(REST_AFTER) is state
    assert (state.after_silence(REST_AFTER + 0.1) is State.RESTING) == (state in (State.RUNNING, State.RESTING))


def test_a_stream_is_not_idle_before_everything_is_processed(monkeypatch):
    now = 0.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    audio = AudioBuffer(0)
    audio.append(PCM[:PART])
    now = 100.0
    assert audio.idle_for == 0  # the engine is slow, or the stream waits for a slot
    audio.on_processed(audio.end)
    now = 107.0
    assert audio.idle_for == 7
    audio.flush(1)
    assert audio.idle_for == 0


@pytest.fixture
async def worker(monkeypatch):
    monkeypatch.setattr(inbox, "TICK", 0.01)
    monkeypatch.setattr(stream_state, "REST_AFTER", 0.05)
    async with isolated_layer() as layer:
        worker = Worker(layer, ENGINES["checksum"], 1)
        task = asyncio.create_task(worker.run())
        yield worker
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class Speaker:
    def __init__(self) -> None:
        self.received: list[events.Event] = []
        self.stream = Stream(User(pk=1, email="a@example.org"), self._on_event, StreamOptions(wait=True, keep=False))
        self.task = asyncio.create_task(self.stream.run())

    async def _on_event(self, event: events.Event) -> None:
        self.received.append(event)

    @property
    def words(self) -> list[str]:
        return [event.text for event in self.received if isinstance(event, events.Word)]

    async def until(self, condition) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0)

    async def ready(self) -> "Speaker":
        await self.until(lambda: self.stream.accepts_audio)
        return self


async def test_audio_that_comes_while_the_segment_is_ended_is_transcribed_too(worker):
    speaker = await Speaker().ready()
    speaker.stream.feed(PCM[:PART])
    await speaker.until(lambda: speaker.stream._audio.is_ended)
    speaker.stream.feed(PCM[PART : 2 * PART])
    await speaker.until(lambda: len(speaker.words) == len(words_of(PCM[: 2 * PART])))
    speaker.stream.feed(PCM[2 * PART :])
    speaker.stream.set_intent(Intent.STOP)
    await speaker.task
    assert speaker.words == words_of(PCM)
    assert not [event for event in speaker.received if isinstance(event, events.Interrupted)]


async def test_another_stream_gets_the_slot_of_one_that_rests_and_a_flush_needs_no_audio(worker):
    first = await Speaker().ready()
    second = await Speaker().ready()  # there is one slot
    second.stream.feed(PCM)
    second.stream.set_intent(Intent.STOP)
    await second.task
    assert second.words == words_of(PCM)
    first.stream.flush(7)
    await first.until(lambda: events.Flushed(7) in first.received)
    first.stream.feed(PCM)
    first.stream.set_intent(Intent.STOP)
    await first.task
    assert first.words == words_of(PCM)


async def test_a_client_that_leaves_a_resting_stream_loses_no_word(worker):
    speaker = await Speaker().ready()
    speaker.stream.feed(PCM)
    await speaker.until(lambda: speaker.stream._state is State.RESTING)
    speaker.stream.detach()
    await speaker.until(speaker.task.done)
    assert speaker.words == words_of(PCM)
