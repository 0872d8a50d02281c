import numpy as np
import pytest

from inference.engines.stt.pocketsphinx import PocketSphinx
from inference.messages import SAMPLE_RATE, Endpoint, Partial, Step, Word
from tests.support.speech.microphone import spoken
from tests.support.speech.stt_events import assert_final_until_holds, assert_times_ascend_within, pick, text, transcribe
from tests.support.speech.words import normalize, word_error_rate


@pytest.fixture(scope="module")
def engine():
    return PocketSphinx(1)


@pytest.fixture(scope="module")
def samples(speech):
    """The first two sentences: int16[n] at 24 kHz."""
    return speech.excerpt(0, 2).samples(SAMPLE_RATE)


def test_clean_speech_is_transcribed(events, speech):
    assert word_error_rate(speech.excerpt(0, 2).text, text(events)) <= 0.3


def test_words_ascend_and_lie_within_the_audio(events, samples):
    assert_times_ascend_within(events, samples)


def test_confidences_differ_between_words(events):
    confidences = {word.confidence for word in pick(events, Word)}
    assert len(confidences) > 10
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_every_segment_has_an_endpoint(events):
    words, endpoints = pick(events, Word), pick(events, Endpoint)
    assert len(endpoints) >= 2
    assert endpoints[0].start == words[0].start
    assert endpoints[-1].end == words[-1].end


def test_partials_precede_the_end_of_a_segment(events):
    first_word = next(i for i, event in enumerate(events) if isinstance(event, Word))
    assert sum(bool(event.text) for event in pick(events[:first_word], Partial)) > 20


def test_no_word_begins_before_final_until(events):
    assert_final_until_holds(events)


def test_a_single_word_is_not_lost(engine):
    assert normalize(text(transcribe(engine, spoken("Remember.")))) == "remember"


@pytest.mark.slow
def test_recognition_can_restart_at_final_until(engine, samples, events):
    """Audio from `final_until` on gives the words after it."""
    half = len(pick(events, Word)) // 2
    final_until = next(
        event.final_until
        for i, event in enumerate(events)
        if isinstance(event, Step) and len(pick(events[:i], Word)) > half
    )
    before = [word.text for word in pick(events, Word) if word.end * SAMPLE_RATE <= final_until]
    again = transcribe(engine, samples[final_until:], position=final_until)
    assert pick(again, Word)[0].start * SAMPLE_RATE >= final_until
    assert word_error_rate(text(events), " ".join(before) + " " + text(again)) < 0.12


@pytest.mark.slow
def test_a_minute_of_silence_has_no_words_and_is_final(engine):
    events = transcribe(engine, np.zeros(60 * SAMPLE_RATE, np.int16))
    assert not pick(events, Word)
    last = pick(events, Step)[-1]
    assert last.sample - last.final_until < SAMPLE_RATE
    assert last.speech == 0


@pytest.mark.slow
def test_a_stream_is_not_affected_by_the_previous_one(engine, samples):
    alone = transcribe(engine, samples[: 8 * SAMPLE_RATE])
    transcribe(engine, np.random.default_rng(1).integers(-9000, 9000, 5 * SAMPLE_RATE).astype(np.int16))
    assert transcribe(engine, samples[: 8 * SAMPLE_RATE]) == alone
