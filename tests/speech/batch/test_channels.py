"""Channels that cancel each other, or that have no place in a room, are all transcribed."""

import wave

import numpy as np
import pytest

from speech.batch.chunking import Chunk
from speech.batch.decode import measure
from speech.batch.decoder.downmix import BLOCK, FADE, Downmix
from speech.dialects.audio import AudioDecoder
from tests.support.speech.recordings import decoded, encode, frequencies

RATE = 24_000
SPEECH = (8_000 * np.sin(np.arange(RATE) / 10)).astype(np.int16)  # one second
OTHER = (8_000 * np.sin(np.arange(RATE) / 13)).astype(np.int16)
SILENCE = np.zeros(RATE, np.int16)


def write(file, *channels, rate=RATE):
    with wave.open(str(file), "wb") as recording:
        recording.setnchannels(len(channels))
        recording.setsampwidth(2)
        recording.setframerate(rate)
        recording.writeframes(np.column_stack(channels).tobytes())
    return file


def mixed(left, right, size=1_000):
    """The mean or one channel, if the audio arrives in pieces of `size` samples."""
    downmix, pcm = Downmix(), np.column_stack([left, right])
    pieces = [downmix.push(pcm[start : start + size]) for start in range(0, len(pcm), size)]
    return np.concatenate([*pieces, downmix.flush()])[:, 0], downmix


def level(pcm):
    return np.sqrt(np.square(pcm.astype(float)).mean())


def loudest_step(pcm):
    return np.abs(np.diff(pcm.astype(int))).max()


@pytest.mark.parametrize("right", [-SPEECH, (-0.7 * SPEECH).astype(np.int16), np.roll(-SPEECH, 2)])
def test_opposite_channels_do_not_cancel(right):
    pcm, downmix = mixed(SPEECH, right)
    assert np.array_equal(pcm, SPEECH)
    assert downmix.canceled == RATE


@pytest.mark.parametrize(
    ("left", "right"), [(SPEECH, SPEECH), (SPEECH, SILENCE), (SPEECH, OTHER), (SPEECH, SPEECH // 4)]
)
def test_other_channels_are_mixed_equally(left, right):
    pcm, downmix = mixed(left, right)
    assert np.array_equal(pcm, np.rint((left.astype(np.float32) + right) / 2).astype(np.int16))
    assert downmix.canceled == 0


def test_the_louder_of_two_opposite_channels_is_taken():
    pcm, _ = mixed((0.6 * SPEECH).astype(np.int16), -SPEECH)
    assert np.array_equal(pcm, -SPEECH)


def test_a_phase_that_changes_costs_no_word_and_makes_no_click():
    """Two speakers, one of whose microphones is wired the wrong way."""
    turns = [SPEECH, SPEECH, SPEECH, SPEECH]
    left = np.concatenate(turns)
    pcm, _ = mixed(left, np.concatenate([SPEECH, -SPEECH, SPEECH, -SPEECH]))
    quarters = pcm.reshape(4, -1)
    assert all(level(quarter) > 0.9 * level(SPEECH) for quarter in quarters)
    assert loudest_step(pcm) < 1.2 * loudest_step(left)


def test_silence_between_words_changes_nothing():
    left = np.concatenate([SPEECH, SILENCE, SPEECH])
    pcm, _ = mixed(left, -left)
    assert np.array_equal(pcm, left)


def test_the_choice_does_not_depend_on_the_pieces_that_arrive():
    left, right = np.concatenate([SPEECH, OTHER, SPEECH]), np.concatenate([-SPEECH, OTHER, SPEECH])
    whole, _ = mixed(left, right, size=len(left))
    for size in (977, FADE, BLOCK, BLOCK + 1):
        assert np.array_equal(mixed(left, right, size)[0], whole)


def test_speakers_on_a_channel_each_are_both_kept():
    random = np.random.default_rng(1)
    left, right = (random.normal(0, 3_000, 20 * RATE).astype(np.int16) for _ in range(2))
    pcm, downmix = mixed(left, right)
    assert downmix.canceled == 0
    assert np.corrcoef(pcm, left)[0, 1] == pytest.approx(np.corrcoef(pcm, right)[0, 1], abs=0.02)


@pytest.mark.parametrize("rate", [24_000, 8_000])
def test_opposite_channels_of_a_live_stream_do_not_cancel(rate):
    decoder = AudioDecoder("s16le", rate, channels=2)
    stereo = np.column_stack([SPEECH, -SPEECH]).tobytes()
    pieces = [decoder.decode(stereo[start : start + 1001]) for start in range(0, len(stereo), 1001)]
    pcm = np.frombuffer(b"".join([*pieces, decoder.flush()]), "<i2")
    assert len(pcm) == pytest.approx(len(SPEECH) * 24_000 / rate, abs=100)
    assert level(pcm) > 0.9 * level(SPEECH)


def test_the_saved_audio_of_opposite_channels_is_not_silent():
    assert level(np.frombuffer(Chunk(0, np.column_stack([SPEECH, -SPEECH]).tobytes(), 2).mixed, "<i2")) > 5_000


@pytest.mark.parametrize("extension", ["wav", pytest.param("mp3", marks=pytest.mark.slow)])
async def test_a_file_with_opposite_channels_is_not_silent(extension, tmp_path):
    file = write(tmp_path / "opposite.wav", SPEECH, -SPEECH, rate=48_000)
    if extension != "wav":
        file = encode(tmp_path / f"opposite.{extension}", "-i", str(file), "-ar", "44100")
    pcm, found = decoded(file)
    assert level(pcm) > 0.9 * level(SPEECH)
    assert found.channels == 2
    found = await measure(write(tmp_path / "long.wav", np.tile(SPEECH, 2), -np.tile(SPEECH, 2)))
    assert found.note == "Where its two channels cancel each other, the louder one is transcribed."


def test_opposite_front_channels_of_a_film_do_not_cancel(tmp_path):
    graph = "sine=440:d=1:r=48000[a];[a]pan=5.1|FL=c0|FR=-1*c0"
    pcm, _ = decoded(encode(tmp_path / "film.wav", "-filter_complex", graph))
    assert frequencies(pcm) == [440, 440]


@pytest.mark.parametrize("count", [3, 12, *(pytest.param(count, marks=pytest.mark.slow) for count in (4, 8, 24))])
def test_no_microphone_of_many_is_left_out(count, tmp_path):
    """Recorders write channels without saying where they belong; a default layout has them as a bass, or not at all."""
    for number in {0, 2, count - 1}:
        channels = [SILENCE] * count
        channels[number] = SPEECH
        pcm, _ = decoded(write(tmp_path / "microphones.wav", *channels))
        assert level(pcm) == pytest.approx(level(SPEECH) / count, rel=0.05)
