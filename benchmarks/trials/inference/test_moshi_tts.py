"""What takes its time, or real processes that die, of tests/inference/test_moshi_tts.py."""

import numpy as np
import pytest

from inference.messages import SAMPLE_RATE
from tests.inference.moshi_alone import Alone, Together, Wish
from tests.inference.test_moshi_tts import (
    DOLLARS,
    FOX,
    FRENCH,
    HELLO,
    SLOTS,
    alone,
    assert_same,
    engine_of_all,
    poison,
    steps_with,
    together,
)
from tests.support.checkpoints import VOICES


def test_a_voice_that_was_cut_off_is_not_heard_in_the_next(together: Together, alone: Alone) -> None:
    for number in range(50):
        together.open(number % SLOTS, Wish(FOX, voice=VOICES[number % 3]))
        together.step({number % SLOTS: FOX})
        together.close(number % SLOTS)
    wish = Wish(FRENCH, voice="stories/bruno")
    together.open(1, wish)
    together.speak(1, wish.text)
    assert_same(together.spoken[1], alone.codes(wish))


def test_numbers_that_are_none_harm_no_neighbour_and_no_successor(together: Together, alone: Alone) -> None:
    calm, sick = Wish(FOX), Wish(DOLLARS, voice="chloé")
    together.open(0, calm)
    together.open(1, sick)
    together.step({0: calm.text, 1: sick.text})
    together.flush(0)
    together.flush(1)
    for _ in range(20):
        together.step()
    poison(together, slot=1)
    while together.step():
        pass
    assert np.isfinite(together.spoken[1].pcm).all()
    assert_same(together.spoken[0], alone.codes(calm))
    together.close(1)
    together.open(1, sick)
    together.speak(1, sick.text)
    assert_same(together.spoken[1], alone.codes(sick))


def test_it_goes_on_only_while_the_words_are_there_that_it_may_ask_for(together: Together, alone: Alone) -> None:
    wish = Wish("one two three four")
    together.open(0, wish)
    assert not together.step({0: ""})
    steps = [steps_with(together, word) for word in ("one", "two", "three")]
    assert steps[0] == 2  # the silence before the first word
    assert steps[1] == 0
    assert steps[2] > 2
    together.speak(0, "four")
    assert_same(together.spoken[0], alone.codes(wish))


def test_the_audio_is_the_package_s(together: Together, alone: Alone) -> None:
    wish = Wish(FOX)
    together.open(0, wish)
    together.speak(0, wish.text)
    pcm, expected = together.spoken[0].pcm, alone.pcm(wish)
    assert np.abs(expected).max() > 0.05
    assert pcm[: len(expected)] / 32767 == pytest.approx(expected, abs=1e-4)


def test_a_seed_is_the_package_s_seed(together: Together, alone: Alone) -> None:
    """On the CPU: what `torch.manual_seed` and the package's own loop give, with neighbours that draw too."""
    wishes = [Wish(FOX, seed=seed, temperature=0.8) for seed in (7, 8, 7)]
    for slot, wish in enumerate(wishes):
        together.open(slot, wish)
        together.step({slot: wish.text})
        together.flush(slot)
    while together.step():
        pass
    for slot, wish in enumerate(wishes):
        assert_same(together.spoken[slot], alone.codes(wish))
    assert together.spoken[0].codes == together.spoken[2].codes != together.spoken[1].codes


def test_every_word_is_told_as_it_was_given_and_before_it_is_heard(together: Together) -> None:
    text = "« hello » (at) 12:30 : it’s time <0.5s> , bye ( )"
    together.open(0, Wish(text))
    heard = 0
    together.step({0: text})
    together.flush(0)
    while together.step():
        spoken = together.spoken[0]
        heard = len(spoken.pcm) / SAMPLE_RATE
        assert all(word.start >= heard - 0.08 for word in spoken.words[len(spoken.words) - 1 :]) or heard > 2
    words = together.spoken[0].words
    assert [word.text for word in words] == [word for word in text.split() if word != "<0.5s>"]
    assert all(word.start <= word.end for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert words[-1].end <= len(together.spoken[0].pcm) / SAMPLE_RATE


def test_after_a_flush_it_begins_afresh_where_the_audio_ended(together: Together, alone: Alone) -> None:
    first, second = Wish(HELLO), Wish(FOX)
    together.open(0, first)
    together.speak(0, first.text)
    codes, together.spoken[0].codes = together.spoken[0].codes, []
    ended, words = len(together.spoken[0].pcm) / SAMPLE_RATE, len(together.spoken[0].words)
    together.speak(0, second.text)
    assert codes[: len(alone.codes(first))] == alone.codes(first)
    assert_same(together.spoken[0], alone.codes(second))
    assert together.spoken[0].words[words].start == pytest.approx(ended, abs=0.001)


def test_who_begins_does_not_hold_up_who_speaks(together: Together) -> None:
    """Of three steps at least one is everybody's."""
    together.open(0, Wish(FOX))
    together.step({0: FOX})
    together.flush(0)
    for _ in range(25):
        together.step()
    together.open(1, Wish(FOX))
    before = len(together.spoken[0].codes)
    together.step({1: FOX})
    together.flush(1)
    for _ in range(11):
        together.step()
    assert len(together.spoken[0].codes) - before == 4
