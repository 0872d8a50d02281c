"""Moonshine: speech to text on any CPU by a small neural network, with case and punctuation. PocketSphinx adds the word
times by forced alignment."""

import os
import time
import wave
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import soxr

from inference.engines.stt.forced_alignment import Aligner
from inference.engines.stt.segment_recognizer import Audio, Hypothesis, SegmentRecognizer, TimedWord
from inference.engines.stt.segment_text import repeats_itself
from inference.engines.stt.vad_segmenter import RATE, WINDOW_SAMPLES, windows_in

MIN_PART = 2 * RATE
"""Samples of audio that is recognized again in halves if its text repeats itself."""


class Moonshine(SegmentRecognizer):
    max_pause = windows_in(0.4)
    """After a longer silence the model makes up digits."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = _load()
        self._aligner = Aligner()
        super().__init__(slots, clock)

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        return Hypothesis(self._text(audio))

    def _text(self, audio: Audio) -> str:
        """Transcribe audio; in halves if the text repeats itself, because the model may not have found its end."""
        lines = self._model.transcribe_without_streaming(audio.tolist(), RATE).lines
        text = " ".join(line.text.strip() for line in lines)
        if len(audio) < MIN_PART or not repeats_itself(text):
            return text
        return " ".join(filter(None, map(self._text, _halves(audio))))

    def align_words(self, hypothesis: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        texts = hypothesis.text.split()
        spans = self._aligner.align(texts, audio) if texts else []
        return [TimedWord(text, span.start, span.end) for text, span in zip(texts, spans, strict=True)]

    def sample_speech(self) -> Audio:
        """4 s of the recording that comes with the package."""
        from moonshine_voice.utils import get_assets_path

        with wave.open(str(get_assets_path() / "two_cities.wav")) as file:
            rate = file.getframerate()
            pcm = np.frombuffer(file.readframes(4 * rate), np.int16)
        speech: Audio = soxr.resample(pcm.astype(np.float32) / 32768, rate, RATE)
        return speech


def _halves(audio: Audio) -> tuple[Audio, Audio]:
    """Split the audio at the quietest window around its middle."""
    windows = audio[: len(audio) // WINDOW_SAMPLES * WINDOW_SAMPLES].reshape(-1, WINDOW_SAMPLES)
    first, last = len(windows) // 4, 3 * len(windows) // 4
    at = (first + int(np.argmin(np.square(windows[first:last]).sum(axis=1)))) * WINDOW_SAMPLES
    return audio[:at], audio[at:]


def _load() -> Any:
    """Load the model that comes with the package, with its VAD off: all streams of a process share that VAD, and a
    noisy one changes the transcripts of the others."""
    os.environ["MOONSHINE_ORT_SINGLE_THREAD"] = "1"  # read when the model loads; several threads take twice the CPU
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber
    from moonshine_voice.utils import get_model_path

    options = {"vad_threshold": "0", "return_audio_data": "false"}
    return Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=options)
