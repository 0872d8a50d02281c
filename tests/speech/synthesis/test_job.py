"""One speaking job with a real worker on the same event loop, and an engine whose audio proves every word."""

import asyncio
import contextlib
import time

import numpy as np
import pytest

from accounts.models import User
from inference import worker as workers
from inference.engines import ENGINES
from inference.engines.testing.tones import Tones, pcm_of
from inference.messages import Rejected
from inference.worker import Worker
from speech import errors, events
from speech.synthesis import job as synthesis_job
from speech.synthesis.job import SynthesisJob
from tests.support.speech.link import layer_alone

OWNER = User(pk=1)


@pytest.fixture(autouse=True)
async def layer(monkeypatch):
    """News of slots comes at once, so that tests need not wait for it."""
    monkeypatch.setattr(workers, "HEARTBEAT_INTERVAL", 0.05)
    async with layer_alone() as layer:
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


class Job:
    def __init__(self, **wishes) -> None:
        self.told: list[events.Event] = []
        self.pace = 0.0
        self.speaking = SynthesisJob(OWNER, self.tell, **wishes)
        self.task = asyncio.create_task(self.speaking.run())

    async def tell(self, event) -> None:
        self.told.append(event)
        await asyncio.sleep(self.pace)

    async def done(self, within=60.0):
        async with asyncio.timeout(within):
            await self.task
        return self

    async def until(self, kind, count=1, within=60.0):
        async with asyncio.timeout(within):
            while len(self.all(kind)) < count:
                await asyncio.sleep(0.005)
                if self.task.done():
                    await self.task
        return self.all(kind)[count - 1]

    def all(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def pcm(self):
        return b"".join(audio.pcm for audio in self.all(events.Audio))

    @property
    def text(self):
        return [spoken.text for spoken in self.all(events.SpokenWord)]


async def said(*texts, **wishes):
    job = Job(**wishes)
    for text in texts:
        job.speaking.add_text(text)
    job.speaking.finish()
    return await job.done()


async def all_free(worker):
    async with asyncio.timeout(5):
        while worker._scheduler.free != worker._scheduler.slots:
            await asyncio.sleep(0.01)


async def test_a_text_is_spoken_whole_and_its_words_told_with_their_audio(worker):
    job = await said("One two, thr", "ee. Four")
    assert job.pcm == pcm_of("One two, three. Four")
    assert [(word.text, word.at) for word in job.all(events.SpokenWord)] == [
        ("One", 0),
        ("two,", 4),
        ("three.", 9),
        ("Four", 16),
    ]
    assert [round(word.start, 3) for word in job.all(events.SpokenWord)] == [0, 0.4, 0.8, 1.2]
    assert job.told[-1] == events.SynthesisDone(len(job.pcm) // 2, 4)
    assert isinstance(job.told[0], events.SynthesisStarted)
    position = 0
    for event in job.told:  # each word just before the sound of it
        if isinstance(event, events.SpokenWord):
            assert event.start == pytest.approx(position / 24_000)
        elif isinstance(event, events.Audio):
            position += len(event.pcm) // 2


async def test_a_number_is_one_word_of_the_text_and_several_of_the_voice(worker):
    job = await said("In 1996 it cost $5.")
    assert job.text == ["In", "1996", "it", "cost", "$5"]  # the full stop is nobody's
    assert job.pcm == pcm_of("In nineteen ninety-six it cost five dollars.")


async def test_text_is_spoken_while_more_comes(worker):
    job = Job()
    job.speaking.add_text("One two ")
    await job.until(events.Audio, 10)
    job.speaking.add_text("three ")
    job.speaking.finish()
    await job.done()
    assert job.pcm == pcm_of("One two three")


async def test_voice_and_controls_reach_the_engine(worker):
    job = await said("One two", voice="low", controls={"speed": 1.25})
    assert job.pcm == pcm_of("One two", "low", 4)
    assert (await said("Un", language="fr")).all(events.SynthesisStarted)[0].voice == "bas"


async def test_a_barge_in_ends_it_and_frees_the_slot_at_once(worker):
    for _ in range(50):
        job = Job()
        job.speaking.add_text("never heard to its end " * 50)
        await job.until(events.Audio)
        job.speaking.stop()
        await job.done()
    await all_free(worker)
    assert (await said("One")).pcm == pcm_of("One")


async def test_a_lost_engine_is_replaced_and_no_word_is_missing(layer, monkeypatch):
    monkeypatch.setattr(synthesis_job, "MAX_AHEAD", 60)
    text = " ".join(f"word{number}" for number in range(60))
    async with running_worker(layer):
        job = Job()
        job.pace = 0.004
        job.speaking.add_text(text)
        job.speaking.finish()
        await job.until(events.Audio, 52)
    assert await job.until(events.Interrupted)
    async with running_worker(layer):
        await job.done()
    assert list(dict.fromkeys(job.text)) == text.split()
    assert len(job.text) <= 61  # the word that was cut is spoken again
    assert job.told[-1].samples == len(job.pcm) // 2
    assert pcm_of("word59") in job.pcm


async def test_what_the_engine_cannot_do_ends_the_job_in_its_words(worker, monkeypatch):
    monkeypatch.setattr(
        Tones, "step", lambda self, inputs: {slot: [Rejected("The voice is no sound.")] for slot in inputs}
    )
    with pytest.raises(errors.InvalidControl, match="The voice is no sound"):
        await said("One")
    await all_free(worker)


async def test_without_an_engine_it_says_so(monkeypatch):
    monkeypatch.setattr("speech.gateway.link.DISCOVERY_TIMEOUT", 0.2)
    with pytest.raises(errors.NoEngine, match="that speaks"):
        await said("One")


@pytest.mark.parametrize(
    ("text", "wishes", "error", "words"),
    [
        ("", {}, errors.InvalidText, "nothing to speak"),
        ("😀 😀", {}, errors.InvalidText, "nothing to speak"),
        ("\x00\x07", {}, errors.InvalidText, "nothing to speak"),
        ("Hi", {"voice": "nobody"}, errors.VoiceNotFound, "no voice “nobody”"),
        ("Hi", {"engine": "nobody"}, errors.VoiceNotFound, "no engine “nobody”"),
        ("Hi", {"language": "xx"}, errors.VoiceNotFound, "No voice speaks"),
        ("Hi", {"controls": {"speed": 99}}, errors.InvalidControl, "Speed 99 is out of range"),
        ("Hi", {"controls": {"speed": float("nan")}}, errors.InvalidControl, "out of range"),
        ("Hi", {"controls": {"shoes": 1}}, errors.InvalidControl, "no control “shoes”"),
    ],
)
async def test_what_cannot_be_spoken_is_refused_in_words(worker, text, wishes, error, words):
    with pytest.raises(error, match=words):
        await said(text, **wishes)
    await all_free(worker)


async def test_too_much_text_is_refused_and_the_rest_is_nobodys_harm(worker):
    job = Job()
    with pytest.raises(errors.InvalidText, match="too long"):
        job.speaking.add_text("a" * 1_000_000)
    job.speaking.add_text("One")
    job.speaking.finish()
    assert (await job.done()).pcm == pcm_of("One")


async def test_at_capacity_it_says_so_or_waits(layer):
    async with running_worker(layer, slots=1):
        first = Job()
        first.speaking.add_text("One ")
        await first.until(events.Audio)
        second, third = Job(wait=True), Job()
        with pytest.raises(errors.AtCapacity):
            await third.done()
        await second.until(events.Queued)
        first.speaking.finish()
        await second.until(events.SynthesisStarted)
        second.speaking.stop()
        await asyncio.gather(first.done(), second.done())


async def test_a_user_has_so_many_jobs_at_once(worker, settings):
    settings.STREAMS_PER_USER = 1
    first = Job()
    first.speaking.add_text("One ")
    await first.until(events.Audio)
    with pytest.raises(errors.TooManyStreams):
        await said("Two")
    first.speaking.stop()
    await first.done()
    await said("Two")


async def test_a_job_to_which_no_text_comes_gives_its_slot_back(worker, monkeypatch):
    monkeypatch.setattr(synthesis_job, "IDLE_TIMEOUT", 0.2)
    job = Job()
    with pytest.raises(errors.InvalidText, match="No text came"):
        await job.done()
    await all_free(worker)


@pytest.mark.slow
async def test_an_engine_that_is_lost_again_and_again_ends_the_job_in_words(worker, monkeypatch):
    def fail(self, inputs):
        raise ValueError("cannot speak")

    monkeypatch.setattr(Tones, "step", fail)
    job = Job()
    job.speaking.add_text("One ")
    with pytest.raises(errors.NoEngine, match="again and again"):
        await job.done(within=30)


@pytest.mark.slow
async def test_a_job_that_waits_for_text_keeps_its_slot(worker, monkeypatch):
    monkeypatch.setattr("inference.scheduler.IDLE_TIMEOUT", 1.0)
    monkeypatch.setattr(synthesis_job, "KEEPALIVE_INTERVAL", 0.3)
    job = Job()
    await job.until(events.SynthesisStarted)
    started = time.monotonic()
    while time.monotonic() - started < 2.5:
        await asyncio.sleep(0.1)
    job.speaking.add_text("One")
    job.speaking.finish()
    assert (await job.done()).pcm == pcm_of("One")
    assert job.all(events.Interrupted) == []
    assert np.frombuffer(job.pcm, "<i2").any()


@pytest.mark.slow
async def test_who_takes_audio_slowly_slows_the_engine_down(worker, monkeypatch):
    monkeypatch.setattr(synthesis_job, "MAX_AHEAD", 40)
    job = Job()
    job.pace = 0.01
    job.speaking.add_text("word " * 100)
    job.speaking.finish()
    await job.until(events.Audio, 20)
    assert len(job.speaking._inbox) < 150  # of the 700 that the whole text gives
    job.pace = 0
    await job.done()
    assert job.pcm == pcm_of("word " * 100)
