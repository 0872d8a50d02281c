"""What takes its time, or real processes that die, of tests/inference/test_moshi_tts.py."""

import numpy as np

from tests.inference.moshi_alone import Alone, Together, Wish
from tests.inference.test_moshi_tts import DOLLARS, FOX, FRENCH, SLOTS, alone, assert_same, poison, steps_with, together
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
