from types import SimpleNamespace

import numpy as np
import pytest

from inference.engines import registry
from inference.engines.stt import segment_recognizer
from inference.engines.stt.moonshine import Moonshine
from inference.engines.stt.vad_segmenter import RATE, VadSegmenter
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Endpoint, Open, Partial, Step, Word
from inference.messages import Audio as AudioOutput
from tests.support.speech.microphone import spoken
from tests.support.speech.stt_events import (
    assert_final_until_holds,
    assert_second_sentence_follows_its_pause,
    assert_times_ascend_within,
    assert_transcribed_well,
    first_words,
    frames_of,
    last_words,
    pick,
    text,
    transcribe,
)
from tests.support.speech.words import normalize, word_error_rate


class Clock:
    """Advances with the audio, as in real time."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 0.08
        return self.now


@pytest.fixture(scope="module")
def engine():
    with pytest.MonkeyPatch.context() as patch:
        # By that clock a recognition takes 0.08 s, so there is one in 1.6 s.
        patch.setattr(segment_recognizer, "PARTIAL_BUDGET_RATE", 0.05)
        yield Moonshine(2, Clock())


def test_clean_speech_is_transcribed_with_case_and_punctuation(events, excerpt):
    assert_transcribed_well(events, excerpt)


def test_words_ascend_and_lie_within_the_audio(events, samples):
    assert_times_ascend_within(events, samples)


def test_word_times_match_the_speech(events, excerpt):
    assert_second_sentence_follows_its_pause(events, excerpt, within=0.3)


def test_every_word_belongs_to_a_segment_with_an_endpoint(events):
    words, endpoints = pick(events, Word), pick(events, Endpoint)
    assert endpoints[0].start == words[0].start
    assert endpoints[-1].end == words[-1].end


def test_partials_precede_the_end_of_a_segment_and_grow(events):
    first_word = next(i for i, event in enumerate(events) if isinstance(event, Word))
    partials = [event.text for event in pick(events[:first_word], Partial)]
    assert len(partials) >= 3
    assert len(partials[0]) < len(partials[-1])


def test_a_complete_sentence_ends_a_segment_early(events, excerpt):
    """The second one does; the first one takes less than `MIN_EARLY_END`."""
    last = pick(events, Endpoint)[-1]
    processed = max(event.sample for event in events[: events.index(last)] if isinstance(event, Step)) / SAMPLE_RATE
    assert last.end == pytest.approx(excerpt.sentences[1].end, abs=0.3)
    assert processed < last.end + 0.6


def test_the_partial_at_the_beginning_of_the_pause_becomes_final(events):
    last = None
    for event in events:
        if isinstance(event, Endpoint):
            break
        last = event.text if isinstance(event, Partial) else last
    end = next(i for i, event in enumerate(events) if isinstance(event, Endpoint))
    assert text(events[:end]) == last


def test_no_word_begins_before_final_until(events):
    assert_final_until_holds(events)


def test_a_stream_can_start_in_the_middle_of_a_session(engine, samples, events):
    later = transcribe(engine, samples, position=100 * SAMPLE_RATE)
    assert text(later) == text(events)
    for late, early in zip(pick(later, Word), pick(events, Word), strict=True):
        assert late.start == pytest.approx(early.start + 100, abs=0.002)


def test_audio_faster_than_real_time_gets_no_partials(samples, excerpt):
    events = transcribe(Moonshine(1, lambda: 0.0), samples)
    assert word_error_rate(excerpt.text, text(events)) <= 0.15
    assert len(pick(events, Partial)) <= 3  # from its first second


def test_a_fully_loaded_engine_produces_finals_only(samples, excerpt, monkeypatch):
    """A frame takes as long to process as it lasts, so that only the saved budget is left for partials."""
    now = 0.0
    engine = Moonshine(1, lambda: now)

    def delayed(seconds, method):
        def call(*arguments):
            nonlocal now
            now += seconds
            return method(*arguments)

        return call

    monkeypatch.setattr(VadSegmenter, "process", delayed(0.08, VadSegmenter.process))
    engine.recognize = delayed(0.5, engine.recognize)
    events = transcribe(engine, samples)
    assert word_error_rate(excerpt.text, text(events)) <= 0.15
    assert (
        1
        <= len(pick(events, Partial))
        <= (segment_recognizer.PARTIAL_BUDGET_CAP + segment_recognizer.PARTIAL_BUDGET_DEBT) / 0.5
    )


def test_a_single_word_is_not_lost(engine):
    assert normalize(text(transcribe(engine, spoken("Remember.")))) == "remember"


@pytest.mark.parametrize("kind", ["silence", "noise", "hum"])
def test_half_a_minute_without_speech_has_no_words(engine, kind):
    time = np.arange(30 * SAMPLE_RATE) / SAMPLE_RATE
    audio = {
        "silence": np.zeros(len(time)),
        "noise": np.random.default_rng(1).normal(0, 0.1, len(time)),
        "hum": 0.3 * np.sin(2 * np.pi * 50 * time) + 0.1 * np.sin(2 * np.pi * 150 * time),
    }[kind]
    events = transcribe(engine, (audio.clip(-1, 1) * 32767).astype(np.int16))
    assert not pick(events, Word)
    last = pick(events, Step)[-1]
    assert last.sample - last.final_until < SAMPLE_RATE


def test_a_noisy_stream_does_not_affect_another(engine, samples, events):
    noise = np.random.default_rng(2).integers(-9000, 9000, len(samples)).astype(np.int16)
    for slot in (0, 1):
        engine.open(slot, Open(f"s{slot}", "web", 0.0, 0, "en"))
    concurrent = []
    for frame, noisy in zip(frames_of(samples), frames_of(noise), strict=True):
        concurrent += engine.step({0: frame, 1: noisy})[0]
    concurrent += engine.flush(0)
    assert word_error_rate(text(events), text(concurrent)) == 0
    assert not pick(engine.flush(1), Word)


def test_a_flush_finalizes_the_words_and_the_stream_continues(engine, samples, excerpt):
    frames = frames_of(samples)
    engine.open(0, Open("s", "web", 0.0, 0, "en"))
    half = 6 * SAMPLE_RATE // FRAME_SAMPLES  # in the middle of a word
    before = [event for frame in frames[:half] for event in engine.step({0: frame})[0]] + engine.flush(0)
    after = [event for frame in frames[half:] for event in engine.step({0: frame})[0]] + engine.flush(0)
    assert normalize(text(before)).startswith(first_words(excerpt))
    assert pick(after, Word)[0].start >= pick(before, Word)[-1].end
    assert normalize(text(after)).endswith(last_words(excerpt))


def test_audio_whose_text_repeats_itself_is_recognized_again_in_parts_split_at_a_pause(engine, monkeypatch):
    received = []

    def transcribe_without_streaming(audio, rate):
        received.append(len(audio) / rate)
        text = "x, " * 40 if len(audio) > 4 * rate else f"part {len(received)}"
        return SimpleNamespace(lines=[SimpleNamespace(text=text)])

    monkeypatch.setattr(engine, "_model", SimpleNamespace(transcribe_without_streaming=transcribe_without_streaming))
    audio = np.full(6 * RATE, 0.1, np.float32)
    audio[4 * RATE - 2000 : 4 * RATE] = 0
    assert engine.recognize(audio, "en").text == "part 2 part 3"
    assert received == pytest.approx([6, 3.9, 2.1], abs=0.1)


def test_digits_read_out_with_pauses_are_one_number(engine, monkeypatch):
    """A voice reads “five five five … zero one nine nine”."""
    monkeypatch.setattr(engine, "_clock", lambda: 0.0)  # no partials
    piper = registry.load("piper", 1)
    rest = [np.zeros(round(seconds * SAMPLE_RATE), np.int16) for seconds in (0.5, 1.2, 2)]
    groups = [speak(piper, words) for words in ("five five five", "zero one nine nine")]
    events = transcribe(engine, np.concatenate([rest[0], groups[0], rest[1], groups[1], rest[2]]))
    assert len(pick(events, Endpoint)) == 1
    assert word_error_rate("five five five zero one nine nine", text(events)) == 0


def speak(piper, words: str):
    piper.open(0, Open("s", "web", 0.0, 0, "en"))
    piper.flush(0)
    events = piper.step({0: words})[0]
    while more := piper.step({0: ""}).get(0):
        events += more
    piper.close(0)
    pcm = np.frombuffer(b"".join(event.pcm for event in pick(events, AudioOutput)), "<i2")
    loud = np.flatnonzero(np.abs(pcm) > 40)
    return pcm[max(0, loud[0] - 1200) : loud[-1] + 1200]
