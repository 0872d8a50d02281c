"""What takes its time, or real processes that die, of tests/inference/test_pocketsphinx.py."""

import numpy as np

from inference.messages import SAMPLE_RATE, Step, Word
from tests.inference.hearing import hear, pick, text
from tests.inference.test_pocketsphinx import bria, engine, told_of_bria
from tests.support.words import word_error_rate


def test_it_may_begin_again_where_all_is_settled(engine, bria, told_of_bria):
    """What is heard from a settled sample on gives the words that come after it."""
    half = len(pick(told_of_bria, Word)) // 2
    settled = next(
        event.settled
        for i, event in enumerate(told_of_bria)
        if isinstance(event, Step) and len(pick(told_of_bria[:i], Word)) > half
    )
    before = [word.text for word in pick(told_of_bria, Word) if word.end * SAMPLE_RATE <= settled]
    again = hear(engine, bria[settled:], position=settled)
    assert pick(again, Word)[0].start * SAMPLE_RATE >= settled
    assert word_error_rate(text(told_of_bria), " ".join(before) + " " + text(again)) < 0.12


def test_a_minute_of_silence_has_no_words_and_is_settled(engine):
    told = hear(engine, np.zeros(60 * SAMPLE_RATE, np.int16))
    assert not pick(told, Word)
    last = pick(told, Step)[-1]
    assert last.sample - last.settled < SAMPLE_RATE
    assert last.speech == 0


def test_a_stream_hears_nothing_of_the_one_before_it(engine, bria):
    alone = hear(engine, bria[: 8 * SAMPLE_RATE])
    hear(engine, np.random.default_rng(1).integers(-9000, 9000, 5 * SAMPLE_RATE).astype(np.int16))
    assert hear(engine, bria[: 8 * SAMPLE_RATE]) == alone
