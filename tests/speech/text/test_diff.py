"""Common words of two texts: which they are, and how many comparisons finding them takes."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.text.diff import MAX_COMPARISONS_PER_WORD, diff

WORDS = st.lists(st.sampled_from("abcd"), max_size=40)


class CountedWord(str):
    """A word that counts how often it is compared."""

    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other):
        CountedWord.comparisons += 1
        return str.__eq__(self, other)

    def __ne__(self, other):
        CountedWord.comparisons += 1
        return str.__ne__(self, other)


def comparisons(old, new):
    CountedWord.comparisons = 0
    list(diff([CountedWord(word) for word in old], [CountedWord(word) for word in new]))
    return CountedWord.comparisons


def common_words(old, new):
    return [word for block in diff(old, new) if block.is_equal for word in old[block.old_start : block.old_end]]


def longest(old, new):
    """Length of the longest common subsequence, by the definition."""
    row = [0] * (len(new) + 1)
    for word in old:
        above = row[:]
        for k, other in enumerate(new, 1):
            row[k] = above[k - 1] + 1 if word == other else max(above[k], row[k - 1])
    return row[-1]


@given(WORDS, WORDS)
def test_blocks_cover_both_texts_in_order(old, new):
    i = k = 0
    for block in diff(old, new):
        assert (block.old_start, block.new_start) == (i, k)
        i, k = block.old_end, block.new_end
        if block.is_equal:
            assert old[block.old_start : i] == new[block.new_start : k] != []
    assert (i, k) == (len(old), len(new))


@given(WORDS, st.lists(st.tuples(st.integers(0, 40), st.sampled_from("abcdxyz")), max_size=6))
def test_edits_leave_the_longest_common_subsequence(old, edits):
    new = list(old)
    for position, word in edits:
        new[position : position + 1] = [word]
    assert len(common_words(old, new)) == longest(old, new)


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.sampled_from(["a", "ab", "ba", "bac", "xyz", "aab"]))
def test_the_number_of_comparisons_is_proportional_to_the_number_of_words(size, other_size, unit):
    old, new = ("ab" * size)[:size], (unit * other_size)[:other_size]
    assert comparisons(old, new) <= (MAX_COMPARISONS_PER_WORD + 4) * (size + other_size) + 2


@pytest.mark.parametrize("seed", range(3))
def test_two_texts_with_different_words_at_random_stay_within_the_limit(seed):
    numbers = random.Random(seed)
    old, new = (numbers.choices("abcdefgh", k=5_000) for _ in range(2))
    assert comparisons(old, new) <= (MAX_COMPARISONS_PER_WORD + 4) * 10_000


def test_texts_that_differ_too_much_share_their_beginning_and_end():
    old, new = ["start", *"ab" * 2_000, "end"], ["start", *"bac" * 1_400, "end"]
    assert common_words(old, new) == ["start", "end"]


def test_a_long_text_with_a_hundred_corrections_is_compared_to_its_end():
    old = [f"word{index % 700}" for index in range(2_000)]
    new = [f"new{index}" if index % 20 == 0 else word for index, word in enumerate(old)]
    assert len(common_words(old, new)) == 1_900
