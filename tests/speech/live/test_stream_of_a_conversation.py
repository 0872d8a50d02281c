"""A stream with a speaker, inserted segments and an overlay, inside the test process."""

import asyncio
from contextlib import asynccontextmanager

import numpy as np
import pytest

from inference.engines.registry import ENGINES
from inference.messages import FRAME_SAMPLES
from inference.worker import Worker, run_workers
from speech import errors, events
from speech.gateway.database import in_database
from speech.library.recording import Recording
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from speech.models import Session, TimedWord
from speech.models.conversation import ASSISTANT, USER
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer
from tests.support.speech.sessions import create_conversation, create_user

pytestmark = pytest.mark.django_db(transaction=True)


class Hum:
    """Adds the position, so that a sample that is mixed twice or at the wrong place shows."""

    def mix(self, first: int, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, "<i2")
        return (samples // 2 + (first + np.arange(len(samples))) % 1000).astype("<i2").tobytes()


@asynccontextmanager
async def checksum_engine():
    async with isolated_layer() as layer, asyncio.timeout(60):
        workers = asyncio.create_task(run_workers([Worker(layer, ENGINES["checksum"], slots=2)]))
        try:
            yield
        finally:
            workers.cancel()
            await asyncio.gather(workers, return_exceptions=True)


async def test_replies_are_stored_beside_the_words_and_the_overlay_is_recorded(settings, tmp_path):
    settings.AUDIO_DIR = tmp_path
    pcm, received = noise(40), []
    is_ready, has_words = asyncio.Event(), asyncio.Event()

    async def on_event(event):
        received.append(event)
        if isinstance(event, events.Ready):
            is_ready.set()
        if isinstance(event, events.Word):
            has_words.set()

    owner = await in_database(create_user)
    async with checksum_engine():
        stream = Stream(owner, on_event, StreamOptions(wait=True, saves_audio=True, speaker=USER, overlay=Hum()))
        running = asyncio.create_task(stream.run())
        await is_ready.wait()
        stream.feed(pcm[: len(pcm) // 2])
        await has_words.wait()
        stream.insert_segment(ASSISTANT, [TimedWord("Hello.", 0.5, 1.0, None)])
        stream.feed(pcm[len(pcm) // 2 :])
        stream.set_intent(Intent.STOP)
        await running
    assert stream.end == 40 * FRAME_SAMPLES
    done = received[-1]
    assert isinstance(done, events.Done)
    assert done.words == len(words_of(pcm)) + 1
    assert {event.speaker for event in received if isinstance(event, events.Endpoint)} == {USER}

    def check():
        session = Session.objects.get(pk=done.session)
        spoken = {
            (name, word) for name, text in session.segments.values_list("speaker", "text") for word in text.split()
        }
        assert spoken == {*((USER, word) for word in words_of(pcm)), (ASSISTANT, "Hello.")}
        mixed = np.frombuffer(Hum().mix(0, pcm), "<i2")
        assert np.array_equal(Recording(session.pk).read(0, stream.end), mixed)

    await in_database(check)


async def test_a_stream_without_speakers_cannot_continue_a_conversation():
    def create():
        owner = create_user()
        return owner, create_conversation(owner, (USER, 0.0, "good morning"))

    async def ignore(event):
        pass

    owner, session = await in_database(create)
    async with isolated_layer():
        with pytest.raises(errors.IsConversation):
            await Stream(owner, ignore, StreamOptions(session=session.pk)).run()
    assert (await in_database(Session.objects.get, pk=session.pk)).epoch == session.epoch
