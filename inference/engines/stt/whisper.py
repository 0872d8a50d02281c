"""Whisper through faster-whisper: a hundred languages, found by itself or told, with times and probabilities of words.

It reads whatever it is given as if it had 30 s, so a short utterance costs as much as a long one. Where nobody reads
along, as in a file, they therefore end at long pauses only.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from inference.engine import EngineUnusable
from inference.engines.stt.utterance_recognizer import Audio, Hypothesis, SegmentRecognizer, TimedWord
from inference.engines.stt.vad_segmenter import RATE, windows_in
from inference.loading.huggingface import CheckpointError, ReportProgress, Repository, is_folder
from inference.loading.presets import Preset
from inference.messages import UNKNOWN_LANGUAGE

logger = logging.getLogger(__name__)

FILES = ("config.json", "tokenizer.json", "preprocessor_config.json", "vocabulary.json", "vocabulary.txt", "model.bin")
REQUIRED_FILES = {"config.json", "tokenizer.json", "model.bin"}
TEMPERATURES = (0.0, 0.4, 0.8)
"""The next one is tried where a text repeats itself, or is very unlikely."""
TYPICAL_TOKENS = 25
"""Of five seconds of speech."""


class Whisper(SegmentRecognizer):
    max_segment = windows_in(28)
    min_silence_in_files = windows_in(1.5)

    def __init__(
        self,
        slots: int,
        preset: Preset,
        tell: ReportProgress = logger.info,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`slots`: 0 for as many as the machine carries. Raises `EngineUnusable`."""
        device, index = _device(preset.device)
        folder = _folder(preset, tell)
        tell(f"loading {preset.model} on {device}")
        try:
            self._model = _Model(
                str(folder),
                device=device,
                device_index=index,
                compute_type=_compute_type(preset.dtype, device),
                local_files_only=True,
            )
            self._options = {"beam_size": 5 if device == "cuda" else 1, "word_timestamps": True}
            super().__init__(slots or preset.slots, clock)
        except (OSError, RuntimeError, ValueError, TypeError) as error:
            raise CheckpointError(
                f"{preset.label} cannot run here on {device}: {error}. Are its files whole, and of a model that was "
                "converted for CTranslate2? On a GPU it needs cuBLAS and cuDNN; with device = 'cpu' it needs neither."
            ) from error

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        told = None if language == UNKNOWN_LANGUAGE else language
        segments, info = self._model.transcribe(
            audio,
            language=told,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,  # what it made up once it would go on making up
            **self._options,
        )
        words = whole_words(piece for segment in segments for piece in segment.words or ())
        return Hypothesis(" ".join(word.text for word in words), words, "" if told else info.language)

    def align_words(self, reading: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        return reading.words

    def sample_speech(self) -> Audio:
        """A noise, of which it is made to read as much as of speech."""
        return np.random.default_rng(0).normal(0, 0.1, 5 * RATE).astype(np.float32)

    def _measure_recognition(self, speech: Audio) -> float:
        began = time.perf_counter()
        segments, _ = self._model.transcribe(
            speech,
            language="en",
            temperature=0.0,
            max_new_tokens=TYPICAL_TOKENS,
            no_speech_threshold=None,
            **self._options,
        )
        list(segments)
        return time.perf_counter() - began


def whole_words(pieces: Iterable[Any]) -> list[TimedWord]:
    """A word may come in several pieces: “ crystal”, “-clear”. One that begins with a letter begins a word, for not all
    languages have spaces."""
    words: list[TimedWord] = []
    for piece in pieces:
        text, end, probability = piece.word.strip(), float(piece.end), round(float(piece.probability), 3)
        if words and text and not piece.word[0].isspace() and not piece.word[0].isalnum():
            words[-1] = replace(words[-1], text=words[-1].text + text, end=end)
        elif text:
            words.append(TimedWord(text, float(piece.start), end, probability))
    return words


class _Model(WhisperModel):
    """Where it finds the language, the package encodes the same audio once for that, and once to read it."""

    _last: tuple[Any, Any] | None = None

    def encode(self, features: Any) -> Any:
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = features, super().encode(features)
        return self._last[1]


def _device(wish: str) -> tuple[str, int]:
    """Its kind and number. Raises `EngineUnusable`."""
    kind, _, index = wish.partition(":")
    gpus = ctranslate2.get_cuda_device_count()
    if kind == "cuda" and int(index or 0) >= gpus:
        raise EngineUnusable(f"The preset asks for “{wish}”, and there are {gpus} CUDA GPUs here, counted from 0.")
    return ("cuda" if kind == "cuda" or (kind == "auto" and gpus) else "cpu"), int(index or 0)


def _compute_type(dtype: str, device: str) -> str:
    if dtype != "auto":
        return dtype
    return "float16" if device == "cuda" else "int8"


def _folder(preset: Preset, tell: ReportProgress) -> Path:
    """Of the model's files, downloaded where need be. Raises `CheckpointError`."""
    if is_folder(preset.model):
        folder = Path(preset.model).expanduser().resolve()
        if missing := sorted(name for name in REQUIRED_FILES if not (folder / name).is_file()):
            raise CheckpointError(f"There is no {' and no '.join(missing)} in {folder}: it is no model of Whisper.")
        return folder
    repository = Repository(preset.model, preset.revision, tell)
    files = [repository.file(name) if name in REQUIRED_FILES else repository.optional(name) for name in FILES]
    return next(file.parent for file in files if file)
