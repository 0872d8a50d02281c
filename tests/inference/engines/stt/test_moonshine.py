import numpy as np
import pytest

from inference.engines.stt import utterance_recognizer
from inference.engines.stt.moonshine import Moonshine
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Open, Partial, Step, Word
from tests.support.speech.audio import Recording
from tests.support.speech.stt_events import (
    assert_read_well,
    assert_second_sentence_follows_its_pause,
    assert_settled_holds,
    assert_times_ascend_within,
    frames_of,
    hear,
    pick,
    text,
)
from tests.support.speech.words import word_error_rate


class Clock:
    """Goes on with the audio, as if it were spoken."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.08
        return self.now


@pytest.fixture(scope="module")
def engine():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            utterance_recognizer, "PARTIAL_BUDGET_RATE", 0.05
        )  # by that clock a reading takes 0.08 s: one in 1.6 s
        yield Moonshine(2, Clock())


@pytest.fixture(scope="module")
def spoken(opening):
    return opening.samples(SAMPLE_RATE, silence_after=1.0)


@pytest.fixture(scope="module")
def told(engine, spoken):
    return hear(engine, spoken)


def test_it_reads_clean_speech_with_case_and_punctuation(told, opening):
    assert_read_well(told, opening.text)


def test_words_ascend_and_lie_within_the_audio(told, spoken):
    assert_times_ascend_within(told, spoken)


def test_words_are_where_they_are_spoken(told):
    assert_second_sentence_follows_its_pause(told, within=0.3)


def test_every_word_is_of_an_utterance_that_ends(told):
    words, endpoints = pick(told, Word), pick(told, Endpoint)
    assert endpoints[0].start == words[0].start
    assert endpoints[-1].end == words[-1].end


def test_words_show_before_their_utterance_ends_and_are_read_again(told):
    first_word = next(i for i, event in enumerate(told) if isinstance(event, Word))
    partials = [event.text for event in pick(told[:first_word], Partial)]
    assert len(partials) >= 3
    assert len(partials[0]) < len(partials[-1])


def test_a_sentence_ends_an_utterance_before_the_pause_is_long(told):
    first = pick(told, Endpoint)[0]
    heard = 0
    for event in told:
        heard = event.sample / SAMPLE_RATE if isinstance(event, Step) else heard
        if isinstance(event, Endpoint):
            break
    assert first.end == pytest.approx(6.4, abs=0.3)
    assert heard < first.end + 0.6


def test_what_is_read_when_the_pause_begins_is_final(told):
    last = None
    for event in told:
        if isinstance(event, Endpoint):
            break
        last = event.text if isinstance(event, Partial) else last
    end = next(i for i, event in enumerate(told) if isinstance(event, Endpoint))
    assert text(told[:end]) == last


def test_nothing_is_settled_that_may_still_change(told):
    assert_settled_holds(told)


def test_a_stream_may_begin_in_the_middle_of_a_session(engine, spoken, told):
    later = hear(engine, spoken, position=100 * SAMPLE_RATE)
    assert text(later) == text(told)
    for late, early in zip(pick(later, Word), pick(told, Word), strict=True):
        assert late.start == pytest.approx(early.start + 100, abs=0.002)


def test_nobody_reads_along_where_it_is_heard_faster_than_it_is_spoken(spoken, opening):
    told = hear(Moonshine(1, lambda: 0.0), spoken)
    assert word_error_rate(opening.text, text(told)) <= 0.15
    assert len(pick(told, Partial)) <= 3  # those of its first second


def test_with_its_hands_full_it_reads_only_what_is_final(spoken, opening):
    """To hear a frame takes as long as to speak it, so that nothing is left for what may change but what was saved."""
    now = 0.0
    engine = Moonshine(1, lambda: now)

    def taking(seconds, method):
        def call(*arguments):
            nonlocal now
            now += seconds
            return method(*arguments)

        return call

    engine._process = taking(0.08, engine._process)
    engine.recognize = taking(0.5, engine.recognize)
    told = hear(engine, spoken)
    assert word_error_rate(opening.text, text(told)) <= 0.15
    assert (
        1
        <= len(pick(told, Partial))
        <= (utterance_recognizer.PARTIAL_BUDGET_CAP + utterance_recognizer.PARTIAL_BUDGET_DEBT) / 0.5
    )


def test_a_single_word_is_not_lost(engine, tmp_path):
    assert text(hear(engine, Recording("loona", tmp_path).samples(SAMPLE_RATE)))


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_half_a_minute_without_speech_has_no_word(engine, kind):
    time = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    sound = {
        "silence": np.zeros(len(time)),
        "noise": np.random.default_rng(1).normal(0, 0.1, len(time)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time) + 0.1 * np.sin(2 * np.pi * 150 * time),
    }[kind]
    told = hear(engine, (sound.clip(-1, 1) * 32767).astype(np.int16))
    assert not pick(told, Word)
    last = pick(told, Step)[-1]
    assert last.sample - last.final_until < SAMPLE_RATE


def test_a_noisy_neighbour_changes_nothing(engine, spoken, told):
    noise = np.random.default_rng(2).integers(-9000, 9000, len(spoken)).astype(np.int16)
    for slot in (0, 1):
        engine.open(slot, Open(f"s{slot}", "web", 0.0, 0, "en"))
    beside = []
    for frame, loud in zip(frames_of(spoken), frames_of(noise), strict=True):
        beside += engine.step({0: frame, 1: loud})[0]
    beside += engine.flush(0)
    assert word_error_rate(text(told), text(beside)) == 0
    assert not pick(engine.flush(1), Word)


def test_a_pause_brings_out_what_was_said_and_the_stream_goes_on(engine, spoken):
    frames = frames_of(spoken)
    engine.open(0, Open("s", "web", 0.0, 0, "en"))
    half = 6 * SAMPLE_RATE // FRAME_SAMPLES  # in the middle of a word
    before = [event for frame in frames[:half] for event in engine.step({0: frame})[0]] + engine.flush(0)
    after = [event for frame in frames[half:] for event in engine.step({0: frame})[0]] + engine.flush(0)
    assert text(before).startswith("In the heart of")
    assert pick(after, Word)[0].start >= pick(before, Word)[-1].end
    assert text(after).rstrip(".").endswith("purpose of")
