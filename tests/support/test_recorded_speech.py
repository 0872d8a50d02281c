"""The speech that tests use is where its labels say, and can be replaced."""

import itertools
from pathlib import Path

import av
import numpy as np
import pytest

from tests.support.speech import audio
from tests.support.speech.audio import RATE, Recording, recorded_speech, two_sentences


def loudness(recording: Recording, start: float, end: float) -> float:
    """Root mean square."""
    pcm = recording.samples(RATE)[round(start * RATE) : round(end * RATE)].astype(float)
    return float(np.sqrt((pcm**2).mean()))


def assert_labels_are_right(recording: Recording) -> None:
    """Sentences are loud, also at both ends, and what is between them is quiet."""
    for sentence in recording.sentences:
        parts = [(sentence.start, sentence.start + 0.3), (sentence.end - 0.5, sentence.end)]
        assert min(loudness(recording, *part) for part in parts) > 200
    for one, other in itertools.pairwise(recording.sentences):
        assert loudness(recording, one.end + 0.15, other.start - 0.05) < 60


def test_sentences_are_where_their_labels_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPEECH_AUDIO_DIR", raising=False)
    speech = recorded_speech(tmp_path)
    assert_labels_are_right(speech)
    excerpt = two_sentences(speech)
    assert_labels_are_right(excerpt)
    assert excerpt.text == " ".join(sentence.text for sentence in speech.sentences[4:6])
    assert len(excerpt.samples(16_000, silence_after=1)) == pytest.approx((excerpt.seconds + 1) * 16_000, abs=2)


def test_a_synthetic_voice_speaks_where_there_is_no_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPEECH_AUDIO_DIR", raising=False)
    monkeypatch.setattr(audio, "find_spec", lambda name: None)
    monkeypatch.setattr(audio, "TWO_CITIES", "1 2 It was the best of times.\n3 4 It was the worst of times.\n")
    speech = recorded_speech(tmp_path)
    assert_labels_are_right(speech)
    assert speech.text == "It was the best of times. It was the worst of times."


def test_a_folder_replaces_the_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    tone = (8000 * np.sin(np.arange(2 * RATE) / 10)).astype(np.int16)
    write_mp3(folder / "speech.mp3", np.concatenate([np.zeros(RATE, np.int16), tone, np.zeros(RATE, np.int16)]))
    (folder / "speech.txt").write_text("1.0\t2.0\tOne.\n2.0\t3.0\tTwo.\n")
    monkeypatch.setenv("SPEECH_AUDIO_DIR", str(folder))
    speech = recorded_speech(tmp_path)
    assert (speech.text, two_sentences(speech).text) == ("One. Two.", "One. Two.")
    times = [time for sentence in speech.sentences for time in (sentence.start, sentence.end)]
    assert times == pytest.approx([0.4, 1.4, 1.4, 2.4])
    assert loudness(speech, 0.1, 0.3) < 60 < 4000 < loudness(speech, 0.5, 2.3)


def write_mp3(path: Path, pcm: audio.Pcm) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mp3", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            file.mux(packet)
