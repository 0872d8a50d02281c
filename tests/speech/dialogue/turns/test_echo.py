"""Echoes of a reply in the microphone's audio, made from recordings and a simulated room."""

import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import soxr

from inference.engines.registry import ENGINES
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE
from speech.dialogue.turns import echo
from speech.dialogue.turns.echo import BLOCK, HISTORY, EchoDetector

REPORT_DELAY = 3 * FRAME_SAMPLES
"""The client reports what it played this long after the microphone's audio of that time."""
NOISE = -65.0  # dB
SPEECH = -22.0  # dB


def recording(name):
    """A recording of the package of Moonshine, at the same loudness as the others: float[n], mono, 24 kHz."""
    package = find_spec("moonshine_voice")
    if package is None or package.origin is None:
        pytest.skip(f"moonshine_voice is not installed: {ENGINES['moonshine'].install}")
    with wave.open(str(Path(package.origin).parent / f"assets/{name}.wav")) as wav:
        audio = np.frombuffer(wav.readframes(wav.getnframes()), "<i2").reshape(-1, wav.getnchannels()).mean(axis=1)
        audio = soxr.resample(audio, wav.getframerate(), SAMPLE_RATE)[: 25 * SAMPLE_RATE]
    return scaled(audio, SPEECH)


def scaled(audio, decibels):
    return audio * 10 ** (decibels / 20) / np.sqrt((audio**2).mean())


@pytest.fixture(scope="module")
def reply():
    return recording("two_cities")


@pytest.fixture(scope="module")
def user():
    return recording("endgame_nagg_nell")


def noise(like):
    return scaled(np.random.default_rng(1).normal(size=len(like)), NOISE)


def echo_of(audio, decibels, delay):
    """What a microphone picks up in a room with a reverberation of 0.35 s."""
    decay = int(0.35 * SAMPLE_RATE)
    room = np.random.default_rng(2).normal(size=decay) * 10 ** (-3 * np.arange(decay) / decay)
    room /= 1.4 * np.sqrt((room**2).sum())
    room[0] += 0.7
    size = len(audio) + decay
    reverberant = np.fft.irfft(np.fft.rfft(audio, size) * np.fft.rfft(room, size), size)[: len(audio)]
    start = int(delay * SAMPLE_RATE)
    return np.concatenate([np.zeros(start), scaled(reverberant, SPEECH + decibels)])[: len(audio)]


def pcm(audio):
    return (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()


def decisions(reply, microphone, start=0, skipped=2.0):
    """`is_echo` after each frame, when the first `skipped` seconds are over."""
    detector = EchoDetector()
    output = []
    for position in range(0, min(len(reply), len(microphone)) - FRAME_SAMPLES, FRAME_SAMPLES):
        detector.recorded(start + position, pcm(microphone[position : position + FRAME_SAMPLES]))
        if (reported := position - REPORT_DELAY) >= 0:
            detector.played(start + reported, pcm(reply[reported : reported + FRAME_SAMPLES]))
        output.append(detector.is_echo)
    return np.array(output[int(skipped * SAMPLE_RATE / FRAME_SAMPLES) :])


@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3])
@pytest.mark.parametrize(("decibels", "share"), [(-20, 0.95), (-30, 0.95), (-40, 0.9)])
def test_an_echo_is_detected(reply, decibels, delay, share):
    assert decisions(reply, echo_of(reply, decibels, delay) + noise(reply)).mean() > share


def test_another_speaker_is_no_echo(reply, user):
    assert decisions(reply, user + noise(user)).mean() < 0.1


def test_a_user_who_speaks_over_an_echo_is_mostly_not_taken_for_it(reply, user):
    size = min(len(reply), len(user))
    microphone = user[:size] + echo_of(reply, -20, 0.1)[:size] + noise(user[:size])
    assert decisions(reply, microphone).mean() < 0.25


def test_noise_and_silence_are_no_echo(reply):
    assert not decisions(reply, noise(reply)).any()
    assert not decisions(reply, np.zeros(len(reply))).any()
    assert not decisions(np.zeros(len(reply)), reply).any()


def test_positions_may_start_anywhere_in_a_session(reply):
    microphone = echo_of(reply, -20, 0.1) + noise(reply)
    assert decisions(reply, microphone, start=12_345_678).mean() > 0.95


def test_the_report_may_be_inexact(reply):
    late, early = np.roll(reply, 900), np.roll(reply, -900)
    assert decisions(late, reply).mean() > 0.95
    assert decisions(early, reply).mean() > 0.95


def test_less_than_the_window_is_no_echo(reply):
    begin = 3 * SAMPLE_RATE
    assert not decisions(reply[begin:], reply[begin:], skipped=0.0)[: int(0.8 * SAMPLE_RATE / FRAME_SAMPLES)].any()


def feed(detector, audio, start, end, is_played=True):
    for position in range(start, end, FRAME_SAMPLES):
        frame = pcm(audio[position : position + FRAME_SAMPLES])
        detector.recorded(position, frame)
        if is_played:
            detector.played(position, frame)


def test_an_echo_is_over_soon_after_the_playback(reply):
    detector = EchoDetector()
    end = 40 * FRAME_SAMPLES
    feed(detector, reply, 0, end)
    assert detector.is_echo
    feed(detector, reply, end, end + 7 * FRAME_SAMPLES, is_played=False)
    assert detector.similarity() == 0


def test_the_next_reply_is_compared_from_its_own_beginning(reply):
    detector = EchoDetector()
    feed(detector, reply, 0, 40 * FRAME_SAMPLES)
    later = 100 * FRAME_SAMPLES
    feed(detector, reply, later, later + 9 * FRAME_SAMPLES)
    assert detector.similarity() == 0
    feed(detector, reply, later + 9 * FRAME_SAMPLES, later + 20 * FRAME_SAMPLES)
    assert detector.is_echo


def test_repeated_audio_and_small_gaps_change_little(reply):
    detector = EchoDetector()
    for position in range(0, 60 * FRAME_SAMPLES, FRAME_SAMPLES):
        detector.recorded(position, pcm(reply[position : position + FRAME_SAMPLES]))
        start = max(0, position - 500)
        detector.played(start, pcm(reply[start : position + FRAME_SAMPLES - 300]))
    assert detector.similarity() > 0.9


def test_memory_is_bounded_and_audio_is_analyzed_once(reply, monkeypatch):
    analyzed = []

    def count(blocks):
        analyzed.append(len(blocks))
        return levels(blocks)

    levels = echo._levels
    monkeypatch.setattr(echo, "_levels", count)
    detector = EchoDetector()
    frame = pcm(reply[:FRAME_SAMPLES])
    for number in range(1000):
        detector.recorded(number * FRAME_SAMPLES, frame)
        detector.played(number * FRAME_SAMPLES, frame)
        detector.similarity()
    assert sum(analyzed) == 2 * 1000 * FRAME_SAMPLES // BLOCK
    assert len(detector._reply._levels) == len(detector._microphone._levels) == HISTORY
