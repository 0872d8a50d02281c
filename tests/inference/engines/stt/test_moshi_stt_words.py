"""From tokens to words, utterances and positions, with the real tokenizer and tokens as a model writes them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engines.stt.moshi_stt.stream_decoder import DecoderConfig, StreamDecoder
from inference.engines.stt.moshi_stt.words import Timeline, WordAssembler
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Endpointing, Partial, Step, Word
from tests.support.models.checkpoints import checkpoint_info
from tests.support.models.kyutai import words_of_the_server

pytestmark = pytest.mark.slow

DELAY = 6
BEGIN, PAD = 0, 3
VOICE, PAUSE = [0.0, 0.0, 0.0, 0.0], [0.9, 0.9, 0.9, 0.9]
SHORT_PAUSE = [0.9, 0.2, 0.1, 0.0]


@pytest.fixture(scope="module")
def tokenizer(stt_checkpoint):
    return checkpoint_info(stt_checkpoint).get_text_tokenizer()


def words_of(tokens, tokenizer, delay=DELAY):
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(delay, lead=0))
    found = [words.add_token(n, token, 1.0) for n, token in enumerate(tokens, start=1)]
    return [word for word in (*found, words.end(len(tokens) + 1 - delay)) if word]


def written(text, tokenizer):
    """As a model writes it: a 0 before each word, a 3 after it."""
    return [token for word in text.split() for token in (BEGIN, *tokenizer.encode(word), PAD)]


@pytest.mark.parametrize(
    "text",
    [
        "hello world",
        "où est la bibliothèque déjà vu garçon naïve",
        "it's twenty-five dollars, isn't it?",
        "l'été d'Éloïse, aujourd'hui",
        "日本 🙂 ok",  # bytes: each character takes several tokens
        "A. B. C. 3.14",
    ],
)
def test_text_comes_out_as_it_went_in(tokenizer, text):
    tokens = [PAD] * DELAY + written(text, tokenizer)
    assert " ".join(word.text for word in words_of(tokens, tokenizer)) == text


def test_a_character_whose_bytes_are_not_all_there_is_not_shown_broken(tokenizer):
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(0, lead=0))
    shown = []
    for n, token in enumerate(tokenizer.encode("x🙂"), start=1):
        words.add_token(n, token, 1.0)
        shown.append(words.open)
    assert shown[-1] == "x🙂"
    assert len(shown) > 4
    assert set(shown[:-1]) <= {"", "x"}


def test_words_without_a_0_between_them_are_two(tokenizer):
    tokens = [PAD] * DELAY + [BEGIN, *tokenizer.encode("hello"), *tokenizer.encode("world")]
    hello, world = words_of(tokens, tokenizer)
    assert (hello.text, world.text) == ("hello", "world")
    assert hello.end == world.start


def test_a_word_of_nothing_is_none(tokenizer):
    space = tokenizer.piece_to_id("▁")
    assert words_of([PAD] * DELAY + [BEGIN, space, PAD, BEGIN, 1, 2, PAD], tokenizer) == []


def test_what_is_written_before_the_delay_is_over_is_no_word(tokenizer):
    assert words_of([BEGIN, *tokenizer.encode("the")[:2]] + [PAD] * DELAY, tokenizer) == []


def test_the_confidence_of_a_word_is_the_geometric_mean_over_its_pieces(tokenizer):
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(0, lead=0))
    pieces = tokenizer.encode("xyz")
    assert len(pieces) > 1
    for n, piece in enumerate(pieces, start=1):
        words.add_token(n, piece, 0.81 if n == 1 else 1.0)
    assert words.end(9).confidence == pytest.approx(0.81 ** (1 / len(pieces)))


def letters(*texts):
    """Those that can be read; random bytes make others, too."""
    return "".join(letter for letter in "".join(texts) if letter.isprintable() and letter not in " \ufffd")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_words_and_times_are_those_of_kyutais_server(tokenizer, data):
    """For each word of the server: ours are the same text, begin when it says that it begins, and the last is told no
    later. Where a 0 ended it, they end when it says so, too."""
    piece = st.integers(0, tokenizer.get_piece_size() - 1)
    tokens = data.draw(st.lists(st.one_of(st.sampled_from([BEGIN, PAD]), piece), min_size=1, max_size=80))
    theirs, ends = words_of_the_server(tokens, DELAY, tokenizer.decode)
    ends = dict(ends)
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(DELAY, lead=0))
    ours = []
    for n, token in enumerate(tokens, start=1):
        if word := words.add_token(n, token, 1.0):
            ours.append(word)
        if theirs and theirs[0].told_at == n:
            word = theirs.pop(0)
            assert letters(*(part.text for part in ours)) == letters(word.text)
            if ours and word.has_onset and word.text.strip().startswith(ours[0].text[0]):  # else ours left that out
                assert ours[0].start / 12.5 == word.start
            if ours and word.by == BEGIN:
                assert ours[-1].end / 12.5 == ends[n]
            ours = []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_time_goes_on_past_silence_that_was_put_in_and_never_back(data):
    lead = data.draw(st.integers(0, 13))
    timeline = Timeline(DELAY, lead)
    heard, frames = 0, []
    for n in range(lead + 2, lead + 120):
        if data.draw(st.booleans()):
            timeline.insert_silence(n)
        else:
            heard += 1
        frames.append(timeline.frames(n))
        assert max(0, heard - DELAY) <= frames[-1] <= heard
    assert all(earlier <= later <= earlier + 1 for earlier, later in pairwise(frames))


# --- A stream -------------------------------------------------------------------------------------------------------


class Speech:
    """A stream, and a model that writes a text `DELAY` frames after it was said."""

    def __init__(self, tokenizer, position=0, brings_out=True, **wishes) -> None:
        manner = DecoderConfig(
            delay=DELAY,
            lead=13,
            flushes_on_pause=brings_out,
            predicts_pauses=True,
            decode=tokenizer.decode,
            piece=tokenizer.id_to_piece,
        )
        self.tokenizer = tokenizer
        self.hearing = StreamDecoder(manner, position, Endpointing(**wishes))
        self.coming = [PAD] * (DELAY - 1)  # what is on its way through the model's delay
        self.told: list = []
        self.silence_frames = 0

    def say(self, text: str, pauses=VOICE):
        for token in written(text, self.tokenizer):
            self._step(token, pauses)
        return self

    def pause(self, frames: int, pauses=PAUSE):
        for _ in range(frames):
            self._step(PAD, pauses)
        return self

    def stop(self):
        self.hearing.flush_words()
        self._bring_out()
        return self

    def _step(self, token, pauses):
        self.coming.append(token)
        self._hear(pauses)
        self._bring_out()

    def _bring_out(self):
        while self.hearing.wants_silence:
            self.silence_frames += 1
            self.coming.append(PAD)
            self._hear(PAUSE)

    def _hear(self, pauses):
        self.told += self.hearing.process(self.coming.pop(0), 0.9, pauses, 1 - pauses[0])

    def all(self, kind):
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def utterances(self):
        """The words of each that has ended."""
        utterances, words = [], []
        for event in self.told:
            if isinstance(event, Word):
                words.append(event.text)
            elif isinstance(event, Endpoint):
                utterances.append(" ".join(words))
                words = []
        return utterances


def test_a_pause_brings_the_last_words_out_at_once(tokenizer):
    speech = Speech(tokenizer, guard=False).say("hello world").pause(1)
    assert speech.utterances == ["hello world"]
    assert speech.silence_frames < DELAY + 12
    step = speech.pause(1).all(Step)[-1]
    assert step.final_until == step.sample - FRAME_SAMPLES


def test_words_after_a_pause_have_the_times_at_which_they_were_said(tokenizer):
    """What was put in to bring words out is not time that passed."""
    in_a_row = Speech(tokenizer, brings_out=False).say("hello").pause(30).say("world").stop()
    brought_out = Speech(tokenizer, guard=False).say("hello").pause(30).say("world").stop()
    assert [(word.text, word.start) for word in brought_out.all(Word)] == [
        (word.text, word.start) for word in in_a_row.all(Word)
    ]
    assert brought_out.silence_frames > 2 * DELAY


def test_without_bursts_an_utterance_ends_when_its_words_are_out(tokenizer):
    speech = Speech(tokenizer, brings_out=False).say("hello world").pause(DELAY)
    assert speech.utterances == []
    speech.pause(4)
    assert speech.utterances == ["hello world"]
    assert speech.silence_frames == 0


def test_a_stop_brings_everything_out(tokenizer):
    speech = Speech(tokenizer).say("it's the brown fox").stop()
    assert speech.utterances == ["it's the brown fox"]
    assert speech.all(Endpoint)[0].end == speech.all(Word)[-1].end


def test_nothing_is_brought_out_of_a_stream_that_heard_nothing(tokenizer):
    speech = Speech(tokenizer)
    assert not speech.hearing.flush_words()


def test_a_short_spike_ends_nothing_when_guarded(tokenizer):
    speech = Speech(tokenizer).say("my number is").pause(2).say("brown", VOICE).pause(2).say("fox").stop()
    assert speech.utterances == ["my number is brown fox"]


@pytest.mark.parametrize("last", ["five", "5", "B", "A.B", "quatre", "42,"])
def test_after_a_number_or_a_letter_the_next_longer_pause_is_waited_for(tokenizer, last):
    speech = Speech(tokenizer).say(f"it is {last}").pause(10, SHORT_PAUSE)
    assert speech.utterances == []
    assert speech.all(Word)[-1].text == last  # it is shown at once all the same
    speech.pause(3, PAUSE)
    assert speech.utterances == [f"it is {last}"]


def test_without_the_guard_it_is_not(tokenizer):
    assert Speech(tokenizer, guard=False).say("it is five").pause(1, SHORT_PAUSE).utterances == ["it is five"]


def test_the_head_that_is_asked_is_the_one_that_was_chosen(tokenizer):
    speech = Speech(tokenizer, guard=False, pause=1.0).say("hello world").pause(10, SHORT_PAUSE)
    assert speech.utterances == []
    assert speech.pause(1, PAUSE).utterances == ["hello world"]


def test_the_threshold_is_the_one_that_was_chosen(tokenizer):
    assert Speech(tokenizer, guard=False, threshold=0.95).say("hello").pause(5, PAUSE).utterances == []
    assert Speech(tokenizer, guard=False, threshold=0.85).say("hello").pause(5, PAUSE).utterances == ["hello"]


def test_an_utterance_has_the_least_number_of_words_that_was_chosen(tokenizer):
    speech = Speech(tokenizer, min_words=2).say("hello").pause(12)
    assert speech.utterances == []
    assert speech.say("brown fox").pause(12).utterances == ["hello brown fox"]


def test_a_turn_is_no_longer_than_was_chosen(tokenizer):
    speech = Speech(tokenizer, max_turn=2.0)
    for _ in range(20):
        speech.say("the fox")
    first = speech.all(Endpoint)[0]
    assert first.end - first.start < 2.5
    assert len(speech.utterances) > 2


def test_long_silence_ends_an_utterance_whatever_the_heads_say(tokenizer):
    assert Speech(tokenizer).say("hello").pause(60, VOICE).utterances == ["hello"]


def test_nothing_is_settled_that_may_still_come(tokenizer):
    speech = Speech(tokenizer, position=48_000)
    for _ in range(3):
        speech.say("hello world the fox").pause(20).say("it is five").pause(40)
    settled = 0
    for event in speech.told:
        if isinstance(event, Step):
            assert settled <= event.final_until <= event.sample
            settled = event.final_until
        elif isinstance(event, Word):
            assert round(event.start * SAMPLE_RATE) >= settled


def test_silence_settles(tokenizer):
    step = Speech(tokenizer, position=96_000).pause(100).all(Step)[-1]
    assert step.sample == 96_000 + 100 * FRAME_SAMPLES
    assert step.sample - step.final_until < SAMPLE_RATE


def test_a_word_shows_while_it_is_written(tokenizer):
    speech = Speech(tokenizer).say("bibliothèque").pause(DELAY, VOICE)
    shown = [partial.text for partial in speech.all(Partial)]
    assert len(shown) >= 2
    assert all("bibliothèque".startswith(text) for text in shown)
