"""Words, segments and positions from tokens, with the real tokenizer and tokens as a model emits them."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.engines.stt.moshi_stt.stream_decoder import DecoderConfig, StreamDecoder
from inference.engines.stt.moshi_stt.words import Timeline, WordAssembler
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Endpointing, Partial, Step, Word
from tests.support.models.checkpoints import checkpoint_info
from tests.support.models.kyutai import server_words

pytestmark = pytest.mark.models

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
    """Tokens as a model emits them: a 0 before each word, a 3 after it."""
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
def test_text_survives_the_round_trip(tokenizer, text):
    tokens = [PAD] * DELAY + written(text, tokenizer)
    assert " ".join(word.text for word in words_of(tokens, tokenizer)) == text


def test_an_incomplete_character_is_not_shown(tokenizer):
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(0, lead=0))
    shown = []
    for n, token in enumerate(tokenizer.encode("x🙂"), start=1):
        words.add_token(n, token, 1.0)
        shown.append(words.open)
    assert shown[-1] == "x🙂"
    assert len(shown) > 4
    assert set(shown[:-1]) <= {"", "x"}


def test_words_without_a_0_between_them_are_separate(tokenizer):
    tokens = [PAD] * DELAY + [BEGIN, *tokenizer.encode("hello"), *tokenizer.encode("world")]
    hello, world = words_of(tokens, tokenizer)
    assert (hello.text, world.text) == ("hello", "world")
    assert hello.end == world.start


def test_an_empty_word_is_dropped(tokenizer):
    space = tokenizer.piece_to_id("▁")
    assert words_of([PAD] * DELAY + [BEGIN, space, PAD, BEGIN, 1, 2, PAD], tokenizer) == []


def test_tokens_before_the_delay_is_over_are_ignored(tokenizer):
    assert words_of([BEGIN, *tokenizer.encode("the")[:2]] + [PAD] * DELAY, tokenizer) == []


def test_the_confidence_of_a_word_is_the_geometric_mean_over_its_tokens(tokenizer):
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(0, lead=0))
    tokens = tokenizer.encode("xyz")
    assert len(tokens) > 1
    for n, token in enumerate(tokens, start=1):
        words.add_token(n, token, 0.81 if n == 1 else 1.0)
    assert words.end(9).confidence == pytest.approx(0.81 ** (1 / len(tokens)))


def letters(*texts):
    """Join the printable letters; random bytes make others, too."""
    return "".join(letter for letter in "".join(texts) if letter.isprintable() and letter not in " \ufffd")


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_words_and_times_match_kyutais_server(tokenizer, data):
    """For each word of the server, ours have the same text and start, and the last is emitted no later. If a 0 ended
    it, ours also have the same end."""
    text_token = st.integers(0, tokenizer.get_piece_size() - 1)
    tokens = data.draw(st.lists(st.one_of(st.sampled_from([BEGIN, PAD]), text_token), min_size=1, max_size=80))
    theirs, ends = server_words(tokens, DELAY, tokenizer.decode)
    ends = dict(ends)
    words = WordAssembler(tokenizer.decode, tokenizer.id_to_piece, Timeline(DELAY, lead=0))
    ours = []
    for n, token in enumerate(tokens, start=1):
        if word := words.add_token(n, token, 1.0):
            ours.append(word)
        if theirs and theirs[0].step == n:
            word = theirs.pop(0)
            assert letters(*(part.text for part in ours)) == letters(word.text)
            if ours and word.has_onset and word.text.strip().startswith(ours[0].text[0]):  # otherwise ours dropped it
                assert ours[0].start / 12.5 == word.start
            if ours and word.ended_by == BEGIN:
                assert ours[-1].end / 12.5 == ends[n]
            ours = []


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_time_skips_inserted_silence_and_never_decreases(data):
    lead = data.draw(st.integers(0, 13))
    timeline = Timeline(DELAY, lead)
    processed, frames = 0, []
    for n in range(lead + 2, lead + 120):
        if data.draw(st.booleans()):
            timeline.insert_silence(n)
        else:
            processed += 1
        frames.append(timeline.frames(n))
        assert max(0, processed - DELAY) <= frames[-1] <= processed
    assert all(earlier <= later <= earlier + 1 for earlier, later in pairwise(frames))


# --- A stream -------------------------------------------------------------------------------------------------------


class Speech:
    """A stream, and a model that writes a text `DELAY` frames after it is spoken."""

    def __init__(self, tokenizer, position=0, flushes_on_pause=True, **endpointing) -> None:
        config = DecoderConfig(
            delay=DELAY,
            lead=13,
            flushes_on_pause=flushes_on_pause,
            predicts_pauses=True,
            decode=tokenizer.decode,
            id_to_piece=tokenizer.id_to_piece,
        )
        self.tokenizer = tokenizer
        self.decoder = StreamDecoder(config, position, Endpointing(**endpointing))
        self.pending = [PAD] * (DELAY - 1)  # tokens in the model's delay
        self.events: list = []
        self.silence_frames = 0

    def speak(self, text: str, pauses=VOICE):
        for token in written(text, self.tokenizer):
            self._step(token, pauses)
        return self

    def pause(self, frames: int, pauses=PAUSE):
        for _ in range(frames):
            self._step(PAD, pauses)
        return self

    def stop(self):
        self.decoder.flush_words()
        self._flush()
        return self

    def _step(self, token, pauses):
        self.pending.append(token)
        self._process(pauses)
        self._flush()

    def _flush(self):
        while self.decoder.needs_silence:
            self.silence_frames += 1
            self.pending.append(PAD)
            self._process(PAUSE)

    def _process(self, pauses):
        self.events += self.decoder.process(self.pending.pop(0), 0.9, pauses, 1 - pauses[0])

    def all(self, kind):
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def segments(self):
        """Text of each segment that has ended."""
        segments, words = [], []
        for event in self.events:
            if isinstance(event, Word):
                words.append(event.text)
            elif isinstance(event, Endpoint):
                segments.append(" ".join(words))
                words = []
        return segments


def test_a_pause_flushes_the_last_words_immediately(tokenizer):
    speech = Speech(tokenizer, guard=False).speak("hello world").pause(1)
    assert speech.segments == ["hello world"]
    assert speech.silence_frames < DELAY + 12
    step = speech.pause(1).all(Step)[-1]
    assert step.final_until == step.sample - FRAME_SAMPLES


def test_words_after_a_flush_have_the_right_times(tokenizer):
    """The silence inserted to flush words takes no time."""
    continuous = Speech(tokenizer, flushes_on_pause=False).speak("hello").pause(30).speak("world").stop()
    flushed = Speech(tokenizer, guard=False).speak("hello").pause(30).speak("world").stop()
    assert [(word.text, word.start) for word in flushed.all(Word)] == [
        (word.text, word.start) for word in continuous.all(Word)
    ]
    assert flushed.silence_frames > 2 * DELAY


def test_without_flushing_a_segment_ends_once_its_words_are_emitted(tokenizer):
    speech = Speech(tokenizer, flushes_on_pause=False).speak("hello world").pause(DELAY)
    assert speech.segments == []
    speech.pause(4)
    assert speech.segments == ["hello world"]
    assert speech.silence_frames == 0


def test_a_stop_flushes_everything(tokenizer):
    speech = Speech(tokenizer).speak("it's the brown fox").stop()
    assert speech.segments == ["it's the brown fox"]
    assert speech.all(Endpoint)[0].end == speech.all(Word)[-1].end


def test_a_stream_without_audio_is_not_flushed(tokenizer):
    speech = Speech(tokenizer)
    assert not speech.decoder.flush_words()


def test_a_short_spike_ends_no_guarded_segment(tokenizer):
    speech = Speech(tokenizer).speak("my number is").pause(2).speak("brown", VOICE).pause(2).speak("fox").stop()
    assert speech.segments == ["my number is brown fox"]


@pytest.mark.parametrize("last", ["five", "5", "B", "A.B", "quatre", "42,"])
def test_after_a_number_or_a_letter_a_longer_pause_is_required(tokenizer, last):
    speech = Speech(tokenizer).speak(f"it is {last}").pause(10, SHORT_PAUSE)
    assert speech.segments == []
    assert speech.all(Word)[-1].text == last  # it is emitted immediately all the same
    speech.pause(3, PAUSE)
    assert speech.segments == [f"it is {last}"]


def test_without_the_guard_the_shorter_pause_suffices(tokenizer):
    assert Speech(tokenizer, guard=False).speak("it is five").pause(1, SHORT_PAUSE).segments == ["it is five"]


def test_the_requested_pause_length_selects_the_head(tokenizer):
    speech = Speech(tokenizer, guard=False, pause=1.0).speak("hello world").pause(10, SHORT_PAUSE)
    assert speech.segments == []
    assert speech.pause(1, PAUSE).segments == ["hello world"]


def test_the_requested_threshold_applies(tokenizer):
    assert Speech(tokenizer, guard=False, threshold=0.95).speak("hello").pause(5, PAUSE).segments == []
    assert Speech(tokenizer, guard=False, threshold=0.85).speak("hello").pause(5, PAUSE).segments == ["hello"]


def test_a_segment_has_the_requested_minimum_of_words(tokenizer):
    speech = Speech(tokenizer, min_words=2).speak("hello").pause(12)
    assert speech.segments == []
    assert speech.speak("brown fox").pause(12).segments == ["hello brown fox"]


def test_a_segment_has_the_requested_maximum_duration(tokenizer):
    speech = Speech(tokenizer, max_turn=2.0)
    for _ in range(20):
        speech.speak("the fox")
    first = speech.all(Endpoint)[0]
    assert first.end - first.start < 2.5
    assert len(speech.segments) > 2


def test_long_silence_ends_a_segment_regardless_of_the_heads(tokenizer):
    assert Speech(tokenizer).speak("hello").pause(60, VOICE).segments == ["hello"]


def test_no_word_begins_before_final_until(tokenizer):
    speech = Speech(tokenizer, position=48_000)
    for _ in range(3):
        speech.speak("hello world the fox").pause(20).speak("it is five").pause(40)
    final_until = 0
    for event in speech.events:
        if isinstance(event, Step):
            assert final_until <= event.final_until <= event.sample
            final_until = event.final_until
        elif isinstance(event, Word):
            assert round(event.start * SAMPLE_RATE) >= final_until


def test_final_until_advances_in_silence(tokenizer):
    step = Speech(tokenizer, position=96_000).pause(100).all(Step)[-1]
    assert step.sample == 96_000 + 100 * FRAME_SAMPLES
    assert step.sample - step.final_until < SAMPLE_RATE


def test_partials_show_a_word_while_it_is_written(tokenizer):
    speech = Speech(tokenizer).speak("bibliothèque").pause(DELAY, VOICE)
    shown = [partial.text for partial in speech.all(Partial)]
    assert len(shown) >= 2
    assert all("bibliothèque".startswith(text) for text in shown)


def test_words_are_complete_long_before_their_segment_ends(tokenizer):
    speech = (
        Speech(tokenizer, 10 * SAMPLE_RATE, guard=False).speak("one two three four five six seven").pause(30).stop()
    )
    until = 0
    for event in speech.events:
        if isinstance(event, Step):
            until = max(until, event.words_until)
            assert event.sample - (DELAY + 5) * FRAME_SAMPLES <= event.words_until <= event.sample
        elif isinstance(event, Word):
            assert event.start * SAMPLE_RATE >= until
    within = [step for step in speech.all(Step) if step.words_until > step.final_until]
    assert len(within) > 15
