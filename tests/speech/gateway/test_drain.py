"""Streams of a web process that drains, inside the test process."""

import asyncio

import pytest

from accounts.models import User
from inference.engines.registry import ENGINES
from inference.messages import BYTES_PER_SAMPLE, FRAME_BYTES
from inference.worker import Worker, run_workers
from speech import errors, events
from speech.gateway.database import in_database
from speech.gateway.drain import drain_streams
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from speech.models import Word
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer


class Speaker:
    def __init__(self, owner, session=None):
        self.stream = Stream(owner, self.on_event, StreamOptions(wait=True, session=session))
        self.task = asyncio.create_task(self.stream.run())
        self.is_ready = asyncio.get_running_loop().create_future()
        self.has_words = asyncio.Event()

    async def on_event(self, event):
        if isinstance(event, events.Ready) and not self.is_ready.done():
            self.is_ready.set_result(event)
        if isinstance(event, events.Word):
            self.has_words.set()


@pytest.mark.django_db(transaction=True)
async def test_audio_that_arrives_during_the_drain_does_not_count_as_transcribed():
    """The engine fills the last frame with silence and reports the whole frame as processed."""
    pcm = noise(60)
    end = 24 * FRAME_BYTES + 1000  # within a frame, the last of a word
    owner = await in_database(User.objects.create_superuser, "speaker@example.org")
    async with isolated_layer() as layer, asyncio.timeout(60):
        workers = asyncio.create_task(run_workers([Worker(layer, ENGINES["checksum"], slots=2)]))
        try:
            first = Speaker(owner)
            session = (await first.is_ready).session
            first.stream.feed(pcm[:end])
            await first.has_words.wait()
            draining = asyncio.create_task(drain_streams())
            while not first.stream._audio.is_ended:
                await asyncio.sleep(0)
            first.stream.feed(pcm[end:])
            with pytest.raises(errors.Restarting):
                await first.task
            await draining

            second = Speaker(owner, session)
            position = (await second.is_ready).position
            second.stream.feed(pcm[position * BYTES_PER_SAMPLE :])
            second.stream.set_intent(Intent.STOP)
            await second.task
        finally:
            workers.cancel()
            await asyncio.gather(workers, return_exceptions=True)
    assert await in_database(lambda: list(Word.objects.values_list("text", flat=True))) == words_of(pcm)
