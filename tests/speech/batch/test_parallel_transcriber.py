"""Parallel transcription of a recording with a real worker on the same event loop and the checksum engine."""

import asyncio
import contextlib

import pytest

from accounts.credentials.principal import Caller
from accounts.models import User
from accounts.scopes import STT
from inference import worker as workers
from inference.engines.registry import ENGINES
from inference.worker import Worker
from speech import errors, events
from speech.batch import decode, preemption
from speech.batch.chunking import split
from speech.batch.parallel_transcriber import ParallelTranscriber
from speech.gateway import revocation
from speech.gateway.link import Link
from speech.live.stream import Stream
from speech.live.stream_options import StreamOptions
from speech.live.stream_state import Intent
from tests.support.speech.checksum_audio import noise, words_of
from tests.support.speech.link import isolated_layer

CALLER = Caller(User(pk=1), frozenset({STT}))
RECORDING = noise(4_500)  # 6 minutes


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    """An isolated channel layer; slots are reported and preempted within a fraction of a second."""
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.05)
    monkeypatch.setattr(preemption, "POLL_INTERVAL", 0.02)
    monkeypatch.setattr(preemption, "PREEMPT_INTERVAL", 0.1)
    async with isolated_layer() as layer:
        yield layer


@pytest.fixture(autouse=True)
def _no_revocations(monkeypatch):
    """These tests need no database."""
    monkeypatch.setattr(revocation, "check_all", lambda callers: [None for _ in callers])


@pytest.fixture
async def run_worker(layer):
    async with contextlib.AsyncExitStack() as stack:

        async def run(slots):
            worker = Worker(layer, ENGINES["checksum"], slots)
            task = asyncio.create_task(worker.run())
            stack.push_async_callback(asyncio.wait, [task])
            stack.callback(task.cancel)
            while await Link.current().workers.engines() == {}:
                await asyncio.sleep(0.01)
            return worker

        yield run


@contextlib.asynccontextmanager
async def live_stream():
    """A live stream that holds a slot while in this context."""
    is_ready = asyncio.Event()

    async def on_event(event):
        if isinstance(event, events.Ready):
            is_ready.set()

    live = Stream(CALLER.user, on_event, StreamOptions(keep=False))
    running = asyncio.create_task(live.run())
    await is_ready.wait()
    yield
    live.set_intent(Intent.STOP)
    await running


async def stream(pcm=RECORDING, error=None):
    for i in range(0, len(pcm), 96_000):
        yield pcm[i : i + 96_000]
    if error:
        raise error


async def transcripts_of(transcriber, **options):
    return [(chunk.start, transcript) async for chunk, transcript in transcriber.transcribe(stream(**options))]


async def expected():
    return [(chunk.start, words_of(chunk.pcm)) async for chunk in split(stream())]


def words_in(transcripts):
    return [(start, [word.text for word in transcript.words]) for start, transcript in transcripts]


async def all_free(worker):
    async with asyncio.timeout(120):
        while worker._scheduler.free != worker._scheduler.slots:
            await asyncio.sleep(0.01)


async def test_transcripts_come_out_in_order_and_use_half_of_the_slots(run_worker):
    worker = await run_worker(slots=4)
    most = 0

    async def watch():
        nonlocal most
        while True:
            most = max(most, len(preemption.Preemption.current()._preemptible))
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    assert words_in(await transcripts_of(ParallelTranscriber(CALLER, "", ""))) == await expected()
    assert not watching.done()
    watching.cancel()
    assert most == 2  # half of them
    await all_free(worker)


async def test_granted_requests_count_before_their_streams_start(run_worker):
    await run_worker(slots=4)

    wait = preemption.Preemption.current().wait
    assert await wait("")
    assert await wait("")
    stops_waiting = iter([False, True]).__next__
    assert not await wait("", unless=stops_waiting)


async def test_a_shifted_transcript_continues_numbers_and_times(run_worker):
    await run_worker(slots=2)
    transcriber = ParallelTranscriber(CALLER, "", "")
    _, transcript = (await transcripts_of(transcriber, pcm=noise(12)))[0]  # 0.96 s: two words and a half
    shifted = transcript.shifted(60.0, words=100, segments=7)
    assert [(word.index, word.segment, word.start, word.end) for word in shifted.words] == [
        (100, 7, 60.0, 60.4),
        (101, 7, 60.4, 60.8),
        (102, 7, 60.8, 60.96),
    ]
    assert [(each.segment, each.start, each.end) for each in shifted.endpoints] == [(7, 60.0, 60.96)]


async def test_closing_a_transcription_frees_its_slots(run_worker):
    worker = await run_worker(slots=4)
    transcriber = ParallelTranscriber(CALLER, "", "")
    async with contextlib.aclosing(transcriber.transcribe(stream())) as transcripts:
        async for _ in transcripts:
            break
    await all_free(worker)


@pytest.mark.slow
async def test_the_last_free_slot_is_left_for_the_next_live_stream(run_worker):
    worker = await run_worker(slots=4)
    async with live_stream(), live_stream():
        while (await Link.current().workers.engines())["checksum"].free != 2:
            await asyncio.sleep(0.01)
        transcribing = asyncio.create_task(transcripts_of(ParallelTranscriber(CALLER, "", "")))
        while not transcribing.done():
            assert worker._scheduler.free > 0
            await asyncio.sleep(0)
        assert words_in(await transcribing) == await expected()


@pytest.mark.slow
async def test_a_recording_yields_its_slot_to_a_live_stream_and_continues_after(run_worker):
    worker = await run_worker(slots=2)
    transcriber = ParallelTranscriber(CALLER, "", "")
    transcribing = asyncio.create_task(transcripts_of(transcriber))
    while not transcriber.processed:
        await asyncio.sleep(0.01)
    async with live_stream():
        async with asyncio.timeout(120):
            while worker._scheduler.free != 1:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        assert (worker._scheduler.free, transcribing.done()) == (1, False)
    assert words_in(await transcribing) == await expected()


@pytest.mark.slow
async def test_an_urgent_recording_keeps_one_slot(run_worker):
    worker = await run_worker(slots=3)
    transcriber = ParallelTranscriber(CALLER, "", "", is_urgent=True)
    async with live_stream(), live_stream():
        assert words_in(await transcripts_of(transcriber)) == await expected()
    await all_free(worker)


@pytest.mark.slow
async def test_chunks_are_transcribed_again_when_their_slots_are_lost(run_worker):
    worker = await run_worker(slots=4)
    transcriber = ParallelTranscriber(CALLER, "", "")
    transcribing = asyncio.create_task(transcripts_of(transcriber))
    for _ in range(12):
        worker._scheduler.evict_all("a test")
        await asyncio.sleep(0.15)
    assert words_in(await transcribing) == await expected()
    assert transcriber.slots_lost > 0


@pytest.mark.slow
async def test_on_started_is_called_once_with_engine_and_language(run_worker):
    await run_worker(slots=4)
    started = []

    async def on_started(engine, language):
        started.append((engine, language))

    transcriber = ParallelTranscriber(CALLER, "", "", on_started=on_started)
    await transcripts_of(transcriber)
    assert started == [("checksum", "en")] == [(transcriber.engine, transcriber.language)]


@pytest.mark.slow
async def test_an_urgent_recording_without_a_free_slot_fails(run_worker):
    await run_worker(slots=1)
    async with live_stream():
        with pytest.raises(errors.AtCapacity):
            await transcripts_of(ParallelTranscriber(CALLER, "", "", is_urgent=True))


@pytest.mark.slow
async def test_an_error_of_the_audio_is_raised_after_the_transcripts_before_it(run_worker):
    worker = await run_worker(slots=4)
    transcripts = []

    async def transcribe():
        audio = stream(error=decode.AudioError())
        async for chunk, transcript in ParallelTranscriber(CALLER, "", "").transcribe(audio):
            transcripts.append((chunk.start, transcript))

    with pytest.raises(decode.AudioError):
        await transcribe()
    assert words_in(transcripts) == (await expected())[: len(transcripts)]
    assert len(transcripts) >= 4
    await all_free(worker)
