"""How much text is sent to the engine ahead of its audio."""

from speech.synthesis.text_normalization.normalizer import NormalizedWord
from speech.synthesis.word_tracker import WordTracker


def test_words_of_one_letter_count_with_their_space():
    """Each takes the engine as long as a short word; without it, twice as many messages would be on their way."""
    tracker = WordTracker()
    tracker.add(NormalizedWord("a", n, n + 1) for n in range(1_000))
    text = tracker.pop_text(400)
    assert len(text.split()) == 200
    assert tracker.ahead == 400
    assert tracker.pop_text(400 - tracker.ahead) == ""
