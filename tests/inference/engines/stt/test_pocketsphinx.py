import numpy as np
import pytest

from inference.engines.stt.pocketsphinx import PocketSphinx
from inference.messages import SAMPLE_RATE, Endpoint, Partial, Step, Word
from tests.support.speech.audio import Recording
from tests.support.speech.stt_events import assert_settled_holds, hear, pick, text
from tests.support.speech.words import word_error_rate


@pytest.fixture(scope="module")
def engine():
    return PocketSphinx(1)


@pytest.fixture(scope="module")
def bria(opening):
    return opening.samples(SAMPLE_RATE)


@pytest.fixture(scope="module")
def told_of_bria(engine, bria):
    return hear(engine, bria)


def test_it_reads_clean_speech(told_of_bria, opening):
    assert word_error_rate(opening.text, text(told_of_bria)) <= 0.3


def test_words_ascend_and_lie_within_the_audio(told_of_bria, bria):
    words = pick(told_of_bria, Word)
    times = [time for word in words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= len(bria) / SAMPLE_RATE


def test_confidences_differ_between_words(told_of_bria):
    confidences = {word.confidence for word in pick(told_of_bria, Word)}
    assert len(confidences) > 10
    assert all(0 <= confidence <= 1 for confidence in confidences)


def test_every_utterance_has_its_end_point(told_of_bria):
    words, endpoints = pick(told_of_bria, Word), pick(told_of_bria, Endpoint)
    assert len(endpoints) >= 2
    assert endpoints[0].start == words[0].start
    assert endpoints[-1].end == words[-1].end


def test_words_show_before_their_utterance_ends(told_of_bria):
    first_word = next(i for i, event in enumerate(told_of_bria) if isinstance(event, Word))
    assert sum(bool(event.text) for event in pick(told_of_bria[:first_word], Partial)) > 20


def test_nothing_is_settled_that_may_still_change(told_of_bria):
    assert_settled_holds(told_of_bria)


def test_a_single_word_is_not_lost(engine, tmp_path):
    assert text(hear(engine, Recording("loona", tmp_path).samples(SAMPLE_RATE)))


@pytest.mark.slow
def test_it_may_begin_again_where_all_is_settled(engine, bria, told_of_bria):
    """What is heard from a settled sample on gives the words that come after it."""
    half = len(pick(told_of_bria, Word)) // 2
    settled = next(
        event.final_until
        for i, event in enumerate(told_of_bria)
        if isinstance(event, Step) and len(pick(told_of_bria[:i], Word)) > half
    )
    before = [word.text for word in pick(told_of_bria, Word) if word.end * SAMPLE_RATE <= settled]
    again = hear(engine, bria[settled:], position=settled)
    assert pick(again, Word)[0].start * SAMPLE_RATE >= settled
    assert word_error_rate(text(told_of_bria), " ".join(before) + " " + text(again)) < 0.12


@pytest.mark.slow
def test_a_minute_of_silence_has_no_words_and_is_settled(engine):
    told = hear(engine, np.zeros(60 * SAMPLE_RATE, np.int16))
    assert not pick(told, Word)
    last = pick(told, Step)[-1]
    assert last.sample - last.final_until < SAMPLE_RATE
    assert last.speech == 0


@pytest.mark.slow
def test_a_stream_hears_nothing_of_the_one_before_it(engine, bria):
    alone = hear(engine, bria[: 8 * SAMPLE_RATE])
    hear(engine, np.random.default_rng(1).integers(-9000, 9000, 5 * SAMPLE_RATE).astype(np.int16))
    assert hear(engine, bria[: 8 * SAMPLE_RATE]) == alone
