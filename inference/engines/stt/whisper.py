"""Whisper through faster-whisper: a hundred languages, detected or given, with word times and probabilities.

The model pads any audio to 30 s, so a short segment costs as much as a long one. In streams without partials, such as
files, segments therefore end at long pauses only.
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
from inference.engines.stt.segment_recognizer import Audio, Hypothesis, SegmentRecognizer, TimedWord
from inference.engines.stt.vad_segmenter import RATE, windows_in
from inference.loading.huggingface import CheckpointError, ReportProgress, Repository, is_folder
from inference.loading.presets import Preset
from inference.messages import UNKNOWN_LANGUAGE

logger = logging.getLogger(__name__)

FILES = ("config.json", "tokenizer.json", "preprocessor_config.json", "vocabulary.json", "vocabulary.txt", "model.bin")
REQUIRED_FILES = {"config.json", "tokenizer.json", "model.bin"}
TEMPERATURES = (0.0, 0.4, 0.8)
"""Temperatures, the next one tried if a text repeats itself or is very unlikely."""
UNSPACED_LANGUAGES = {"ja", "lo", "my", "th", "yue", "zh"}
"""Languages whose text the package splits into characters, with or without spaces between them."""
TYPICAL_TOKENS = 25
"""Tokens of five seconds of speech."""


class Whisper(SegmentRecognizer):
    max_segment = windows_in(28)
    min_silence_in_files = windows_in(1.5)

    def __init__(
        self,
        slots: int,
        preset: Preset,
        report_progress: ReportProgress = logger.info,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`slots`: 0 for as many as the machine can run in real time. Raises `EngineUnusable`."""
        device, index = _device(preset.device)
        folder = _folder(preset, report_progress)
        report_progress(f"loading {preset.model} on {device}")
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
                f"{preset.label} can't run on {device}: {error}. Check that its files are complete and converted for "
                "CTranslate2. A GPU requires cuBLAS and cuDNN; device = 'cpu' requires neither."
            ) from error

    def recognize(self, audio: Audio, language: str) -> Hypothesis:
        return self._run(audio, language, "transcribe")

    def translate(self, audio: Audio, language: str) -> Hypothesis:
        return self._run(audio, language, "translate")

    def _run(self, audio: Audio, language: str, task: str) -> Hypothesis:
        requested = None if language == UNKNOWN_LANGUAGE else language
        segments, info = self._model.transcribe(
            audio,
            language=requested,
            task=task,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,  # one hallucination would lead to the next
            **self._options,
        )
        parts = [part for segment in segments for part in segment.words or ()]
        text = " ".join("".join(part.word for part in parts).split())
        words = whole_words(parts, info.language if task == "transcribe" else "en")
        return Hypothesis(text, words, "" if requested else info.language)

    def align_words(self, hypothesis: Hypothesis, audio: Audio) -> Sequence[TimedWord]:
        return hypothesis.words

    def sample_speech(self) -> Audio:
        """Noise, from which `_measure_recognition` makes the model decode as many tokens as from speech."""
        return np.random.default_rng(0).normal(0, 0.1, 5 * RATE).astype(np.float32)

    def _measure_recognition(self, speech: Audio) -> float:
        started = time.perf_counter()
        segments, _ = self._model.transcribe(
            speech,
            language="en",
            temperature=0.0,
            max_new_tokens=TYPICAL_TOKENS,
            no_speech_threshold=None,
            **self._options,
        )
        list(segments)
        return time.perf_counter() - started


def whole_words(parts: Iterable[Any], language: str) -> list[TimedWord]:
    """Join the parts in which a word may come: “ crystal”, “-clear”. A part begins a word after a space, or with a
    letter; but in a language without spaces only if it and the part before it are of its script: “20”, “24”, “年” are
    one word. A space that the model writes between two parts of such a script is kept at the end of the first one."""
    words: list[TimedWord] = []
    is_spaced = False
    for part in parts:
        text, end, probability = part.word.strip(), float(part.end), round(float(part.probability), 3)
        is_spaced = is_spaced or part.word[:1].isspace()
        if not text:
            continue
        before = words[-1].text if words else ""
        is_unspaced = language in UNSPACED_LANGUAGES and _is_between_characters(before, text)
        begins_word = text[0].isalnum() if language not in UNSPACED_LANGUAGES else is_unspaced
        if before and not is_spaced and not begins_word:
            words[-1] = replace(words[-1], text=before + text, end=end)
        else:
            if is_spaced and is_unspaced:
                words[-1] = replace(words[-1], text=f"{before} ")
            words.append(TimedWord(text, float(part.start), end, probability))
        is_spaced = part.word[-1].isspace()
    return words


def _is_between_characters(before: str, after: str) -> bool:
    """Whether both texts have a character without case next to the other one, as scripts without spaces do."""
    sides = (before[-1:], after[:1])
    return after[:1].isalnum() and not any(c.isascii() or c.isdigit() or c.islower() or c.isupper() for c in sides)


class _Model(WhisperModel):
    """Model that encodes audio once; the package encodes it twice, to detect the language and to transcribe."""

    _last: tuple[Any, Any] | None = None

    def encode(self, features: Any) -> Any:
        if self._last is None or not np.array_equal(self._last[0], features):
            self._last = features, super().encode(features)
        return self._last[1]


def _device(requested: str) -> tuple[str, int]:
    """Kind and index of the device. Raises `EngineUnusable`."""
    kind, _, index = requested.partition(":")
    gpus = ctranslate2.get_cuda_device_count()
    if kind == "cuda" and int(index or 0) >= gpus:
        raise EngineUnusable(f"The preset requests “{requested}”, but there are {gpus} CUDA GPUs, numbered from 0.")
    return ("cuda" if kind == "cuda" or (kind == "auto" and gpus) else "cpu"), int(index or 0)


def _compute_type(dtype: str, device: str) -> str:
    if dtype != "auto":
        return dtype
    return "float16" if device == "cuda" else "int8"


def _folder(preset: Preset, report_progress: ReportProgress) -> Path:
    """Folder of the model's files, downloaded if missing. Raises `CheckpointError`."""
    if is_folder(preset.model):
        folder = Path(preset.model).expanduser().resolve()
        if missing := sorted(name for name in REQUIRED_FILES if not (folder / name).is_file()):
            verb = "is" if len(missing) == 1 else "are"
            raise CheckpointError(f"{folder} isn't a Whisper model: {' and '.join(missing)} {verb} missing.")
        return folder
    repository = Repository(preset.model, preset.revision, report_progress)
    files = [repository.file(name) if name in REQUIRED_FILES else repository.optional(name) for name in FILES]
    return next(file.parent for file in files if file)
