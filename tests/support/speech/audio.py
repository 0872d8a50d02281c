"""Recorded speech for tests and benchmarks, with the times of its sentences.

By default it is the beginning of *A Tale of Two Cities* (44 s, one speaker, English), a file of Moonshine's package.
Where that package has no wheel, a synthetic voice speaks the same text.

A folder that SPEECH_AUDIO_DIR names replaces it: `speech.mp3`, and `speech.txt` with one sentence a line, each after
its start and end in seconds. docs/testing.md says what tests require of it.
"""

import os
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from tests.support.speech.microphone import spoken, write_wav

Pcm = npt.NDArray[np.int16]

# Dickens's words, which Whisper recognizes without an error; Moonshine writes “string” and “a season”.
TWO_CITIES = """
 1.21  4.53 It was the best of times, it was the worst of times.
 5.04  8.10 It was the age of wisdom, it was the age of foolishness.
 8.82 12.71 It was the epoch of belief, it was the epoch of incredulity.
13.49 16.64 It was the season of light, it was the season of darkness.
17.57 20.44 It was the spring of hope, it was the winter of despair.
21.26 28.20 We had everything before us, we had nothing before us, we were all going direct to heaven, we were all \
going direct the other way.
29.12 41.61 In short, the period was so far like the present period that some of its noisiest authorities insisted on \
its being received, for good or for evil, in the superlative degree of comparison only.
"""
MARGIN = 0.4
"""Seconds of the recording before and after the sentences of an excerpt."""
PAUSE = 0.8
"""Seconds between two sentences of the synthetic voice."""
RATE = 24_000


@dataclass(frozen=True)
class Sentence:
    text: str
    start: float
    end: float
    """Seconds from the beginning of the recording."""


class Recording:
    """Sentences of a file, which are next to each other, with a little silence around them."""

    def __init__(self, file: Path, sentences: Sequence[Sentence], cache: Path) -> None:
        """`sentences`: with their times in the file. `cache`: folder for the formats that tests use."""
        self._file = file
        self._sentences = sentences
        self._cache = cache
        self._start = max(0.0, sentences[0].start - MARGIN)
        self.seconds = sentences[-1].end + MARGIN - self._start
        self.text = " ".join(sentence.text for sentence in sentences)
        self.sentences = [
            Sentence(sentence.text, sentence.start - self._start, sentence.end - self._start) for sentence in sentences
        ]

    def excerpt(self, first: int, count: int) -> "Recording":
        return Recording(self._file, self._sentences[first : first + count], self._cache)

    def samples(self, rate: int = RATE, silence_after: float = 0.0) -> Pcm:
        """int16[n], mono. `silence_after`, in seconds: a microphone outlasts the speaker."""
        start = round(self._start * rate)
        pcm = self._decoded(rate)[start : start + round(self.seconds * rate)]
        return np.concatenate([pcm, np.zeros(round(silence_after * rate), np.int16)])

    def wav(self, rate: int = 48_000, silence_after: float = 0.0) -> Path:
        """Path of a WAV file, mono, 16 bit."""
        path = self._cache / f"{self._start:g}-{self.seconds:g}-{rate}-{silence_after:g}.wav"
        if not path.exists():
            write_wav(path, self.samples(rate, silence_after), rate)
        return path

    def _decoded(self, rate: int) -> Pcm:
        path = self._cache / f"{self._file.stem}-{rate}.wav"
        if not path.exists():
            write_wav(path, decode(self._file, rate), rate)
        with wave.open(str(path)) as wav:
            return np.frombuffer(wav.readframes(wav.getnframes()), "<i2")


def recorded_speech(cache: Path) -> Recording:
    """All of it. `cache`: an empty folder."""
    if folder := os.environ.get("SPEECH_AUDIO_DIR"):
        return Recording(Path(folder) / "speech.mp3", parse((Path(folder) / "speech.txt").read_text()), cache)
    sentences = parse(TWO_CITIES)
    package = find_spec("moonshine_voice")
    if package and package.origin:
        return Recording(Path(package.origin).parent / "assets/two_cities.wav", sentences, cache)
    return synthesize([sentence.text for sentence in sentences], cache)


def two_sentences(speech: Recording) -> Recording:
    """Two sentences with a pause between them."""
    is_two_cities = speech.text.startswith("It was the best of times")
    return speech.excerpt(4 if is_two_cities else 0, 2)


def parse(labels: str) -> list[Sentence]:
    lines = [line.split(maxsplit=2) for line in labels.splitlines() if line.strip()]
    return [Sentence(text, float(start), float(end)) for start, end, text in lines]


def synthesize(texts: Sequence[str], cache: Path) -> Recording:
    parts, sentences, at = [], [], 0
    for text in texts:
        pcm = np.trim_zeros(spoken(text))
        at += round(PAUSE * RATE)
        parts += [np.zeros(round(PAUSE * RATE), np.int16), pcm]
        sentences.append(Sentence(text, at / RATE, (at + len(pcm)) / RATE))
        at += len(pcm)
    file = cache / "synthetic.wav"
    write_wav(file, np.concatenate([*parts, np.zeros(RATE, np.int16)]), RATE)
    return Recording(file, sentences, cache)


def decode(file: Path, rate: int) -> Pcm:
    """The first audio track of a file: int16[n], mono."""
    with av.open(str(file)) as container:
        resampler = av.AudioResampler("s16", "mono", rate)
        frames = [frame for decoded in container.decode(audio=0) for frame in resampler.resample(decoded)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
