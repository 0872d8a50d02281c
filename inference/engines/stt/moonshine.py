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
from inference.engines.stt.vad_segmenter import RATE


class Moonshine(SegmentRecognizer):
    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._model = _load()
        self._aligner = Aligner()
        super().__init__(slots, clock)

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        lines = self._model.transcribe_without_streaming(audio.tolist(), RATE).lines
        return Hypothesis(" ".join(line.text.strip() for line in lines))

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


def _load() -> Any:
    """Load the model that comes with the package, with its VAD off: all streams of a process share that VAD, and a
    noisy one changes the transcripts of the others."""
    os.environ["MOONSHINE_ORT_SINGLE_THREAD"] = "1"  # read when the model loads; several threads take twice the CPU
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber
    from moonshine_voice.utils import get_model_path

    options = {"vad_threshold": "0", "return_audio_data": "false"}
    return Transcriber(get_model_path("tiny-en"), ModelArch.TINY, options=options)
