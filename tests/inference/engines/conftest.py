"""Fixtures of the tests of speech-to-text engines, each of which has its own `engine` in module scope."""

import pytest

from inference.messages import SAMPLE_RATE
from tests.support.speech.stt_events import transcribe


@pytest.fixture(scope="module")
def samples(excerpt):
    """Two sentences and a second of silence: int16[n] at 24 kHz."""
    return excerpt.samples(SAMPLE_RATE, silence_after=1.0)


@pytest.fixture(scope="module")
def events(engine, samples):
    """All events of the engine for `samples`."""
    return transcribe(engine, samples)
