"""What takes its time, or real processes that die, of tests/speech/test_speaking.py."""

import asyncio
import time

import numpy as np
import pytest

from inference.engines.tones import Tones, pcm_of
from speech import errors, events, speaking
from tests.speech.test_speaking import Job, layer, worker


async def test_an_engine_that_is_lost_again_and_again_ends_the_job_in_words(worker, monkeypatch):
    def fail(self, inputs):
        raise ValueError("cannot speak")

    monkeypatch.setattr(Tones, "step", fail)
    job = Job()
    job.speaking.say("One ")
    with pytest.raises(errors.NoEngine, match="again and again"):
        await job.done(within=30)


async def test_a_job_that_waits_for_text_keeps_its_slot(worker, monkeypatch):
    monkeypatch.setattr("inference.scheduler.LEASE", 1.0)
    monkeypatch.setattr(speaking, "SIGN_OF_LIFE_EVERY", 0.3)
    job = Job()
    await job.until(events.Begun)
    started = time.monotonic()
    while time.monotonic() - started < 2.5:
        await asyncio.sleep(0.1)
    job.speaking.say("One")
    job.speaking.finish()
    assert (await job.done()).pcm == pcm_of("One")
    assert job.all(events.Interrupted) == []
    assert np.frombuffer(job.pcm, "<i2").any()


async def test_who_takes_audio_slowly_slows_the_engine_down(worker, monkeypatch):
    monkeypatch.setattr(speaking, "AHEAD", 40)
    job = Job()
    job.pace = 0.01
    job.speaking.say("word " * 100)
    job.speaking.finish()
    await job.until(events.Audio, 20)
    assert len(job.speaking._inbox) < 150  # of the 700 that the whole text gives
    job.pace = 0
    await job.done()
    assert job.pcm == pcm_of("word " * 100)
