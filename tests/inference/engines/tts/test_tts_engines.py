"""TTS engines that run on any CPU."""

import msgspec
import numpy as np
import pytest

from inference.engines import registry
from inference.engines.registry import ENGINES
from inference.messages import FRAME_BYTES, SAMPLE_RATE, Audio, Event, Open, Step, Word, parse_pause

SENTENCE = "The ships were waiting in the morning, and the captain was reading a letter from his mother."


@pytest.fixture(scope="module", params=["piper", "espeak"])
def engine(request):
    if not ENGINES[request.param].is_installed:
        pytest.skip(f"{request.param} is not installed: {ENGINES[request.param].install}")
    return registry.load(request.param, slots=3)


def open_slot(engine, slot=0, position=0, voice="", **controls):
    reproducible = {"variation": 0.0}  # otherwise Piper adds random noise
    engine.open(slot, Open("s", "web", 0.0, position, "", voice, reproducible | controls))


def drain(engine, slot=0, text=""):
    """Step until the engine waits for input; returns the events, encoded and decoded as between processes."""
    output = []
    while events := engine.step({slot: text}).get(slot):
        output += msgspec.msgpack.decode(msgspec.msgpack.encode(events), type=list[Event])
        text = ""
    return output


def speak(engine, text, **options):
    open_slot(engine, **options)
    engine.flush(0)
    events = drain(engine, 0, text)
    engine.close(0)
    return events


def pcm(events):
    return b"".join(event.pcm for event in events if isinstance(event, Audio))


def words(events):
    return [event for event in events if isinstance(event, Word)]


def samples(events):
    return np.frombuffer(pcm(events), "<i2")


def test_voice_names_are_unique(engine):
    names = [voice.name for voice in engine.voices]
    assert len(names) == len(set(names))


def test_audio_is_emitted_in_whole_frames_and_counted(engine):
    events = speak(engine, SENTENCE, position=48_000)
    assert {len(event.pcm) for event in events if isinstance(event, Audio)} == {FRAME_BYTES}
    assert events[-1] == Step(48_000 + len(samples(events)), 48_000 + len(samples(events)), 1.0)
    assert 4 < len(samples(events)) / SAMPLE_RATE < 8


def test_words_are_reported_unchanged_in_order_with_times(engine):
    text = "“Well-known” cafés: 3 of them, said [the] (man). <0.5s> Don’t — go!"
    events = speak(engine, text)
    assert [word.text for word in words(events)] == [word for word in text.split() if parse_pause(word) is None]
    times = [time for word in words(events) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= len(samples(events)) / SAMPLE_RATE


def test_a_phrase_is_spoken_once_it_is_complete_or_flushed(engine):
    open_slot(engine)
    assert engine.step({0: "not yet"}) == {}
    assert words(drain(engine, 0, "now."))
    assert drain(engine, 0, "and the rest") == []
    assert engine.flush(0) == []
    assert [word.text for word in words(drain(engine))] == ["and", "the", "rest"]
    engine.close(0)


def test_a_pause_is_silence_of_that_duration(engine):
    without = speak(engine, "One. Two.")
    paused = speak(engine, "One. <2s> Two.")
    assert len(samples(paused)) - len(samples(without)) == pytest.approx(2 * SAMPLE_RATE, abs=2 * 1920)


def loudness(events):
    """Mean absolute amplitude of each 40 ms."""
    audio = np.abs(samples(events).astype(float))
    return audio[: len(audio) // 960 * 960].reshape(-1, 960).mean(axis=1)


def have_same_loudness(events, others):
    """Compare the loudness over time, because eSpeak's samples are not reproducible."""
    one, other = loudness(events), loudness(others)
    both = min(len(one), len(other))
    return abs(len(one) - len(other)) <= 2 and np.corrcoef(one[:both], other[:both])[0, 1] > 0.9


def pitch(events):
    """Hz, by autocorrelation of 40 ms where it is loud."""
    values = []
    for window in samples(events)[: len(samples(events)) // 960 * 960].reshape(-1, 960).astype(float):
        if np.abs(window).mean() > 500:
            correlation = np.correlate(window, window, "full")[960:]
            values.append(SAMPLE_RATE / (60 + correlation[60:400].argmax()))
    return np.median(values)


@pytest.mark.parametrize("text", ["😀 😀", "…", "\x00\x07 \x1b[2J", "日本語 です", "%s %n {} <b>", "'" * 50])
def test_unspeakable_text_does_not_stop_the_engine(engine, text):
    assert [word.text for word in words(speak(engine, text))] == text.split()
    assert len(samples(speak(engine, "Still here."))) > SAMPLE_RATE / 4


def test_slots_take_turns_without_affecting_each_other(engine):
    alone = speak(engine, SENTENCE)
    for slot in range(3):
        open_slot(engine, slot)
        engine.flush(slot)
    output = {slot: [] for slot in range(3)}
    inputs = dict.fromkeys(range(3), SENTENCE)
    while inputs:
        events = engine.step(inputs)
        for slot, more in events.items():
            output[slot] += more
        inputs = dict.fromkeys(events, "")
    assert all(have_same_loudness(output[slot], alone) for slot in range(3))
    for slot in range(3):
        engine.close(slot)


@pytest.mark.slow
def test_speed_changes_the_duration(engine):
    plain, fast = (speak(engine, SENTENCE, **controls) for controls in ({}, {"speed": 2.0}))
    assert len(samples(fast)) == pytest.approx(len(samples(plain)) / 2, rel=0.3)
    assert have_same_loudness(speak(engine, SENTENCE), plain)  # speed does not persist


@pytest.mark.slow
def test_pitch_changes_the_pitch(engine, request):
    if not any(control.name == "pitch" for control in ENGINES[request.node.callspec.params["engine"]].controls):
        pytest.skip("the engine has no pitch control")
    plain, high = (speak(engine, SENTENCE, **controls) for controls in ({}, {"pitch": 1.4}))
    assert pitch(high) > 1.15 * pitch(plain)


@pytest.mark.slow
def test_text_without_punctuation_is_spoken_in_parts(engine):
    events = speak(engine, "word " * 300)
    assert len(words(events)) == 300
    assert speak(engine, "") == []
