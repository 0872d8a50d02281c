"""Synthesis jobs with a real worker on the same event loop, and an engine whose audio identifies every word."""

import asyncio
import contextlib
import time

import numpy as np
import pytest

from accounts.models import User
from inference import worker as workers
from inference.engines.registry import ENGINES
from inference.engines.testing.tones import Tones, pcm_of
from inference.messages import Closed, Rejected
from inference.worker import Worker
from speech import errors, events
from speech.gateway import slot_request
from speech.live import inbox
from speech.synthesis import job as synthesis_job
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions
from tests.support.speech.link import isolated_layer

OWNER = User(pk=1)


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    """Workers report their slots and voices every 20 ms, and jobs ask for a slot as often, so that tests need not wait
    long."""
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.02)
    monkeypatch.setattr(workers, "VOICES_INTERVAL", 1)
    monkeypatch.setattr(inbox, "TICK", 0.02)
    async with isolated_layer() as layer:
        yield layer


@contextlib.asynccontextmanager
async def running_worker(layer, slots=2):
    worker = Worker(layer, ENGINES["tones"], slots)
    task = asyncio.create_task(worker.run())
    yield worker
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def worker(layer):
    async with running_worker(layer) as worker:
        yield worker


class RunningJob:
    def __init__(self, owner=OWNER, **options) -> None:
        self.events: list[events.Event] = []
        self.delay = 0.0  # seconds that the client takes for each event
        self.job = SynthesisJob(owner, self._emit, SynthesisOptions(**options))
        self.task = asyncio.create_task(self.job.run())

    async def _emit(self, event) -> None:
        self.events.append(event)
        await asyncio.sleep(self.delay)

    async def done(self, seconds=60.0):
        async with asyncio.timeout(seconds):
            await self.task
        return self

    async def until(self, kind, count=1, seconds=60.0):
        async with asyncio.timeout(seconds):
            while len(self.all(kind)) < count:
                await asyncio.sleep(0.005)
                if self.task.done():
                    await self.task
        return self.all(kind)[count - 1]

    def all(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def pcm(self):
        return b"".join(audio.pcm for audio in self.all(events.Audio))

    @property
    def text(self):
        return [spoken.text for spoken in self.all(events.SpokenWord)]


async def synthesize(*texts, **options):
    running = RunningJob(**options)
    for text in texts:
        running.job.add_text(text)
    running.job.finish()
    return await running.done()


async def wait_until_slots_are_free(worker):
    async with asyncio.timeout(5):
        while worker._scheduler.free != worker._scheduler.slots:
            await asyncio.sleep(0.01)


async def test_a_text_is_spoken_completely_and_words_are_emitted_with_their_audio(worker):
    running = await synthesize("One two, thr", "ee. Four")
    assert running.pcm == pcm_of("One two, three. Four")
    assert [(word.text, word.at) for word in running.all(events.SpokenWord)] == [
        ("One", 0),
        ("two,", 4),
        ("three.", 9),
        ("Four", 16),
    ]
    assert [round(word.start, 3) for word in running.all(events.SpokenWord)] == [0, 0.4, 0.8, 1.2]
    assert running.events[-1] == events.SynthesisDone(len(running.pcm) // 2, 4)
    assert isinstance(running.events[0], events.SynthesisStarted)
    position = 0
    for event in running.events:  # each word just before its audio
        if isinstance(event, events.SpokenWord):
            assert event.start == pytest.approx(position / 24_000)
        elif isinstance(event, events.Audio):
            position += len(event.pcm) // 2


async def test_a_number_is_one_word_of_the_text_and_several_spoken_words(worker):
    running = await synthesize("In 1996 it cost $5.")
    assert running.text == ["In", "1996", "it", "cost", "$5"]  # the period belongs to no word
    assert running.pcm == pcm_of("In nineteen ninety-six it cost five dollars.")


async def test_text_is_spoken_while_more_arrives(worker):
    running = RunningJob()
    running.job.add_text("One two ")
    await running.until(events.Audio, 10)
    running.job.add_text("three ")
    running.job.finish()
    await running.done()
    assert running.pcm == pcm_of("One two three")


async def test_voice_and_controls_reach_the_engine(worker):
    running = await synthesize("One two", voice="low", controls={"speed": 1.25})
    assert running.pcm == pcm_of("One two", "low", 4)
    assert (await synthesize("Un", language="fr")).all(events.SynthesisStarted)[0].voice == "bas"


async def test_a_barge_in_ends_the_job_and_frees_the_slot_immediately(worker):
    for _ in range(5):  # more than there are slots
        running = RunningJob()
        running.job.add_text("never played to its end " * 50)
        await running.until(events.Audio)
        running.job.stop()
        await running.done()
    await wait_until_slots_are_free(worker)
    assert (await synthesize("One")).pcm == pcm_of("One")


async def test_a_lost_engine_is_replaced_without_a_missing_word(layer, monkeypatch):
    monkeypatch.setattr(synthesis_job, "MAX_AHEAD", 60)
    text = " ".join(f"word{number}" for number in range(60))
    async with running_worker(layer):
        running = RunningJob()
        running.delay = 0.004
        running.job.add_text(text)
        running.job.finish()
        await running.until(events.Audio, 52)
    assert await running.until(events.Interrupted)
    running.delay = 0.0
    async with running_worker(layer):
        await running.done()
    assert list(dict.fromkeys(running.text)) == text.split()
    assert len(running.text) <= 61  # the interrupted word is spoken again
    assert running.events[-1].samples == len(running.pcm) // 2
    assert pcm_of("word59") in running.pcm


async def test_a_rejection_by_the_engine_ends_the_job_with_its_reason(worker, monkeypatch):
    monkeypatch.setattr(
        Tones, "step", lambda self, inputs: {slot: [Rejected("The voice is corrupt.")] for slot in inputs}
    )
    with pytest.raises(errors.InvalidControl, match="The voice is corrupt"):
        await synthesize("One")
    await wait_until_slots_are_free(worker)


async def test_a_job_without_an_engine_fails(monkeypatch):
    monkeypatch.setattr("speech.gateway.workers.DISCOVERY_TIMEOUT", 0.2)
    with pytest.raises(errors.NoEngine, match="No text-to-speech engine"):
        await synthesize("One")


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("", {}, errors.InvalidText, "No text to speak"),
        ("😀 😀", {}, errors.InvalidText, "No text to speak"),
        ("\x00\x07", {}, errors.InvalidText, "No text to speak"),
        ("Hi", {"voice": "unknown"}, errors.VoiceNotFound, "Voice “unknown” not found"),
        ("Hi", {"engine": "unknown"}, errors.VoiceNotFound, "engine “unknown” not found"),
        ("Hi", {"language": "xx"}, errors.VoiceNotFound, "No voice supports"),
        ("Hi", {"controls": {"speed": 99}}, errors.InvalidControl, "Speed 99 is out of range"),
        ("Hi", {"controls": {"speed": float("nan")}}, errors.InvalidControl, "out of range"),
        ("Hi", {"controls": {"shoes": 1}}, errors.InvalidControl, "doesn't support “shoes”"),
    ],
)
async def test_an_invalid_request_is_rejected(worker, text, options, error, message):
    with pytest.raises(error, match=message):
        await synthesize(text, **options)
    await wait_until_slots_are_free(worker)


async def test_too_much_text_is_rejected_without_harm_to_the_rest(worker):
    running = RunningJob()
    with pytest.raises(errors.InvalidText, match="too long"):
        running.job.add_text("a" * 1_000_000)
    running.job.add_text("One")
    running.job.finish()
    assert (await running.done()).pcm == pcm_of("One")


async def test_at_capacity_a_job_fails_or_queues(layer, monkeypatch):
    monkeypatch.setattr(slot_request, "REQUEST_TIMEOUT", 0.1)
    async with running_worker(layer, slots=1):
        first = RunningJob()
        first.job.add_text("One ")
        await first.until(events.Audio)
        second, third = RunningJob(wait=True), RunningJob()
        with pytest.raises(errors.AtCapacity):
            await third.done()
        await second.until(events.Queued)
        first.job.finish()
        await second.until(events.SynthesisStarted)
        second.job.stop()
        await asyncio.gather(first.done(), second.done())


async def test_an_account_with_all_slots_gives_one_up_for_another_and_loses_no_word(worker, monkeypatch):
    monkeypatch.setattr(synthesis_job, "RECOVERY_TIMEOUT", -1.0)  # it does not count as a lost engine
    jobs = [RunningJob(low_latency=low_latency) for low_latency in (False, True)]
    for running in jobs:
        running.job.add_text("One two ")
        await running.until(events.Audio)
    other = RunningJob(User(pk=2), wait=True)
    other.job.add_text("Three ")
    await other.until(events.Audio)
    assert "another account waits" in (await jobs[0].until(events.Interrupted)).message
    other.job.finish()
    await other.done()
    for running in jobs:
        running.job.add_text("four")
        running.job.finish()
        await running.done()
        assert list(dict.fromkeys(running.text)) == ["One", "two", "four"]
    assert not jobs[1].all(events.Interrupted)  # a listener waits for it


async def test_the_jobs_of_a_user_are_limited(worker, settings):
    settings.STREAMS_PER_USER = 1
    first = RunningJob()
    first.job.add_text("One ")
    await first.until(events.Audio)
    with pytest.raises(errors.TooManyStreams):
        await synthesize("Two")
    await synthesize("Two", is_counted=False)
    first.job.stop()
    await first.done()
    await synthesize("Two")


@pytest.mark.parametrize("low_latency", [False, True])
async def test_low_latency_reaches_the_engine(worker, monkeypatch, low_latency):
    requests = []
    open_stream = Tones.open
    monkeypatch.setattr(
        Tones, "open", lambda self, slot, request: (requests.append(request), open_stream(self, slot, request))
    )
    await synthesize("One", low_latency=low_latency)
    assert [request.low_latency for request in requests] == [low_latency]


async def test_a_job_without_text_releases_its_slot(worker, monkeypatch):
    monkeypatch.setattr(synthesis_job, "IDLE_TIMEOUT", 0.2)
    running = RunningJob()
    with pytest.raises(errors.InvalidText, match="No text received"):
        await running.done()
    await wait_until_slots_are_free(worker)


async def test_a_stream_evicted_for_lack_of_memory_waits_for_another_slot_and_fails_at_capacity(worker, monkeypatch):
    """Its own slot isn't used again; the engine and the streams in the other slots go on."""
    monkeypatch.setattr(synthesis_job, "RECOVERY_TIMEOUT", 0.3)
    first = RunningJob()
    first.job.add_text("One ")
    await first.until(events.Audio)
    step = Tones.step

    def evict_the_second(self, inputs):
        output = step(self, inputs)
        return output | {slot: [Closed("the engine is out of memory")] for slot in inputs if slot == 1}

    monkeypatch.setattr(Tones, "step", evict_the_second)
    second = RunningJob()
    second.job.add_text("Two ")
    with pytest.raises(errors.AtCapacity, match="was lost and no other was available") as raised:
        await second.done()
    assert raised.value.code == 4000
    assert "out of memory" in second.all(events.Interrupted)[0].message
    first.job.add_text("three")
    first.job.finish()
    await first.done()
    assert list(dict.fromkeys(first.text)) == ["One", "three"]
    assert not first.all(events.Interrupted)


@pytest.mark.slow
async def test_repeated_loss_of_the_engine_ends_the_job(worker, monkeypatch):
    def fail(self, inputs):
        raise ValueError("cannot speak")

    monkeypatch.setattr(Tones, "step", fail)
    running = RunningJob()
    running.job.add_text("One ")
    with pytest.raises(errors.NoEngine, match="lost repeatedly"):
        await running.done(seconds=30)


@pytest.mark.slow
async def test_a_job_that_waits_for_text_keeps_its_slot(worker, monkeypatch):
    monkeypatch.setattr("inference.scheduler.IDLE_TIMEOUT", 1.0)
    monkeypatch.setattr("speech.synthesis.text_slot.KEEPALIVE_INTERVAL", 0.3)
    running = RunningJob()
    await running.until(events.SynthesisStarted)
    started = time.monotonic()
    while time.monotonic() - started < 2.5:
        await asyncio.sleep(0.1)
    running.job.add_text("One")
    running.job.finish()
    assert (await running.done()).pcm == pcm_of("One")
    assert running.all(events.Interrupted) == []
    assert np.frombuffer(running.pcm, "<i2").any()


@pytest.mark.slow
async def test_a_slow_client_slows_the_engine_down(worker, monkeypatch):
    monkeypatch.setattr(synthesis_job, "MAX_AHEAD", 40)
    running = RunningJob()
    running.delay = 0.01
    running.job.add_text("word " * 100)
    running.job.finish()
    await running.until(events.Audio, 20)
    assert len(running.job._inbox) < 150  # of 700 for the whole text
    running.delay = 0
    await running.done()
    assert running.pcm == pcm_of("word " * 100)
