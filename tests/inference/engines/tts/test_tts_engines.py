"""The engines that speak on any CPU."""

import msgspec
import numpy as np
import pytest

from inference import engines
from inference.engines import ENGINES
from inference.messages import FRAME_BYTES, SAMPLE_RATE, Audio, Event, Open, Step, Word, parse_pause

SENTENCE = "The ships were waiting in the morning, and the captain was reading a letter from his mother."


@pytest.fixture(scope="module", params=["piper", "espeak"])
def engine(request):
    if not ENGINES[request.param].is_installed:
        pytest.skip(f"{request.param} is not installed: {ENGINES[request.param].install}")
    return engines.load(request.param, slots=3)


def open_slot(engine, slot=0, position=0, voice="", **controls):
    always_alike = {"variation": 0.0}  # Piper draws lots otherwise
    engine.open(slot, Open("s", "web", 0.0, position, "", voice, always_alike | controls))


def rest(engine, slot=0, text=""):
    """All that the engine tells until it waits again, as it comes out of its process."""
    told = []
    while events := engine.step({slot: text}).get(slot):
        told += msgspec.msgpack.decode(msgspec.msgpack.encode(events), type=list[Event])
        text = ""
    return told


def speak(engine, text, **options):
    open_slot(engine, **options)
    engine.flush(0)
    told = rest(engine, 0, text)
    engine.close(0)
    return told


def pcm(events):
    return b"".join(event.pcm for event in events if isinstance(event, Audio))


def words(events):
    return [event for event in events if isinstance(event, Word)]


def samples(events):
    return np.frombuffer(pcm(events), "<i2")


def test_every_voice_has_a_name_of_its_own(engine):
    names = [voice.name for voice in engine.voices]
    assert len(names) == len(set(names))


def test_audio_comes_in_whole_frames_and_is_counted(engine):
    told = speak(engine, SENTENCE, position=48_000)
    assert {len(event.pcm) for event in told if isinstance(event, Audio)} == {FRAME_BYTES}
    assert told[-1] == Step(48_000 + len(samples(told)), 48_000 + len(samples(told)), 1.0)
    assert 4 < len(samples(told)) / SAMPLE_RATE < 8


def test_every_word_is_told_in_order_as_it_was_given_with_its_time(engine):
    text = "“Well-known” cafés: 3 of them, said [the] (man). <0.5s> Don’t — go!"
    told = speak(engine, text)
    assert [word.text for word in words(told)] == [word for word in text.split() if parse_pause(word) is None]
    times = [time for word in words(told) for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[-1] <= len(samples(told)) / SAMPLE_RATE


def test_a_phrase_waits_for_its_end_and_a_flush_is_one(engine):
    open_slot(engine)
    assert engine.step({0: "not yet"}) == {}
    assert words(rest(engine, 0, "now."))
    assert rest(engine, 0, "and the rest") == []
    assert engine.flush(0) == []
    assert [word.text for word in words(rest(engine))] == ["and", "the", "rest"]
    engine.close(0)


def test_a_pause_is_silence_of_its_length(engine):
    without = speak(engine, "One. Two.")
    paused = speak(engine, "One. <2s> Two.")
    assert len(samples(paused)) - len(samples(without)) == pytest.approx(2 * SAMPLE_RATE, abs=2 * 1920)


def loudness(events):
    """Of each 40 ms."""
    audio = np.abs(samples(events).astype(float))
    return audio[: len(audio) // 960 * 960].reshape(-1, 960).mean(axis=1)


def are_alike(some, others):
    """eSpeak does not make the very same samples twice."""
    one, other = loudness(some), loudness(others)
    both = min(len(one), len(other))
    return abs(len(one) - len(other)) <= 2 and np.corrcoef(one[:both], other[:both])[0, 1] > 0.9


def pitch(events):
    """Hz, by autocorrelation of 40 ms where it is loud."""
    found = []
    for window in samples(events)[: len(samples(events)) // 960 * 960].reshape(-1, 960).astype(float):
        if np.abs(window).mean() > 500:
            alike = np.correlate(window, window, "full")[960:]
            found.append(SAMPLE_RATE / (60 + alike[60:400].argmax()))
    return np.median(found)


@pytest.mark.parametrize("text", ["😀 😀", "…", "\x00\x07 \x1b[2J", "日本語 です", "%s %n {} <b>", "'" * 50])
def test_what_it_cannot_say_stops_nobody(engine, text):
    assert [word.text for word in words(speak(engine, text))] == text.split()
    assert len(samples(speak(engine, "Still here."))) > SAMPLE_RATE / 4


def test_slots_take_turns_and_each_gets_its_own(engine):
    alone = speak(engine, SENTENCE)
    for slot in range(3):
        open_slot(engine, slot)
        engine.flush(slot)
    told = {slot: [] for slot in range(3)}
    inputs = dict.fromkeys(range(3), SENTENCE)
    while inputs:
        events = engine.step(inputs)
        for slot, more in events.items():
            told[slot] += more
        inputs = dict.fromkeys(events, "")
    assert all(are_alike(told[slot], alone) for slot in range(3))
    for slot in range(3):
        engine.close(slot)


@pytest.mark.slow
def test_speed_is_heard(engine):
    plain, fast = (speak(engine, SENTENCE, **controls) for controls in ({}, {"speed": 2.0}))
    assert len(samples(fast)) == pytest.approx(len(samples(plain)) / 2, rel=0.3)
    assert are_alike(speak(engine, SENTENCE), plain)  # nothing of it stays


@pytest.mark.slow
def test_pitch_is_heard(engine, request):
    if not any(control.name == "pitch" for control in ENGINES[request.node.callspec.params["engine"]].controls):
        pytest.skip("it has none")
    plain, high = (speak(engine, SENTENCE, **controls) for controls in ({}, {"pitch": 1.4}))
    assert pitch(high) > 1.15 * pitch(plain)


@pytest.mark.slow
def test_text_without_end_or_space_is_spoken_in_parts(engine):
    told = speak(engine, "word " * 300)
    assert len(words(told)) == 300
    assert speak(engine, "") == []
