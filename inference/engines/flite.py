"""Flite: English voices on any CPU, by the shared libraries of Debian's package `flite` (BSD licence).

The voices that are there are found when it starts. Word times are those of Flite's own segments.
"""

import ctypes
import re
import unicodedata
from collections.abc import Iterator, Mapping
from ctypes.util import find_library
from typing import Any, ClassVar

import numpy as np

from inference.engines.phrases import Phrases, Rendered
from inference.messages import Voice

VOICES = (
    Voice("slt", "SLT", "en-US", "female", "A clear voice from Pittsburgh, of the CMU Arctic recordings"),
    Voice("rms", "RMS", "en-US", "male", "A deep voice from the United States, of the CMU Arctic recordings"),
    Voice("awb", "AWB", "en-GB", "male", "A Scottish voice, of the CMU Arctic recordings"),
    Voice("kal16", "KAL", "en-US", "male", "The diphone voice of early screen readers, at 16 kHz"),
    Voice("kal", "KAL, small", "en-US", "male", "The same at 8 kHz, as on a telephone"),
)
LIBRARIES = ("flite", "flite_cmulex", "flite_usenglish")


class _Wave(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_char_p),
        ("sample_rate", ctypes.c_int),
        ("num_samples", ctypes.c_int),
        ("num_channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    ]


class _Voice(ctypes.Structure):
    _fields_: ClassVar = [("name", ctypes.c_char_p), ("features", ctypes.c_void_p)]


class Flite(Phrases):
    def __init__(self, slots: int) -> None:
        super().__init__(slots, _Synthesiser())


class _Synthesiser:
    def __init__(self) -> None:
        # The voices' libraries find the symbols of these among those of the process.
        self._flite, *_ = [_load(name) for name in LIBRARIES]
        _declare(self._flite)
        self._flite.flite_init()
        self._loaded = {voice.name: loaded for voice in VOICES if (loaded := _load_voice(voice.name))}
        self.voices = [voice for voice in VOICES if voice.name in self._loaded]
        if not self.voices:
            raise OSError("Flite is here without any of its voices. Install it again.")
        self._stretches = {name: self._feature(voice, b"duration_stretch", 1.0) for name, voice in self._loaded.items()}
        self._f0_means = {
            name: self._feature(voice, b"int_f0_target_mean", 0.0) for name, voice in self._loaded.items()
        }

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Rendered:
        loaded = self._loaded[voice]
        self._set(loaded, b"duration_stretch", self._stretches[voice] / controls.get("speed", 1.0))
        pitch = controls.get("pitch", 1.0)
        self._set(loaded, b"f0_shift", pitch)  # of statistical voices
        if self._f0_means[voice]:  # of diphone voices
            self._set(loaded, b"int_f0_target_mean", self._f0_means[voice] * pitch)
        spoken = [_plain(word) for word in words]
        utterance = self._flite.flite_synth_text(" ".join(filter(None, spoken)).encode("ascii"), loaded)
        try:
            wave = self._flite.utt_wave(utterance).contents
            pcm = np.ctypeslib.as_array(wave.samples, (wave.num_samples,)).copy()
            rate, times = wave.sample_rate, list(self._times(utterance))
        finally:
            self._flite.delete_utterance(utterance)
        return Rendered(pcm, rate, _aligned(spoken, times))

    def _times(self, utterance: int) -> Iterator[tuple[float, float]]:
        """Of each token of the text."""
        flite = self._flite
        token = flite.relation_head(flite.utt_relation(utterance, b"Token"))
        while token:
            segments = b"R:SylStructure.daughter%c.daughter%c.R:Segment"
            start = flite.ffeature_float(token, b"daughter1." + segments % (b"1", b"1") + b".p.end")
            end = flite.ffeature_float(token, b"daughtern." + segments % (b"n", b"n") + b".end")
            yield start, end
            token = flite.item_next(token)

    def _feature(self, voice: Any, name: bytes, default: float) -> float:
        features = voice.contents.features
        if not self._flite.feat_present(features, name):
            return default
        return float(self._flite.feat_float(features, name))

    def _set(self, voice: Any, name: bytes, value: float) -> None:
        self._flite.feat_set_float(voice.contents.features, name, value)


def _load(name: str) -> Any:
    return ctypes.CDLL(find_library(name), mode=ctypes.RTLD_GLOBAL)


def _load_voice(name: str) -> Any:
    library = find_library(f"flite_cmu_us_{name}")
    if not library:
        return None
    register = getattr(ctypes.CDLL(library), f"register_cmu_us_{name}")
    register.restype, register.argtypes = ctypes.POINTER(_Voice), [ctypes.c_void_p]
    return register(None)


def _declare(flite: Any) -> None:
    """The functions of flite.h and cst_utterance.h, cst_item.h, cst_features.h that are used here."""
    pointer, string, real = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float
    for name, result, arguments in (
        ("flite_synth_text", pointer, [string, ctypes.POINTER(_Voice)]),
        ("utt_wave", ctypes.POINTER(_Wave), [pointer]),
        ("utt_relation", pointer, [pointer, string]),
        ("relation_head", pointer, [pointer]),
        ("item_next", pointer, [pointer]),
        ("ffeature_float", real, [pointer, string]),
        ("delete_utterance", None, [pointer]),
        ("feat_present", ctypes.c_int, [pointer, string]),
        ("feat_float", real, [pointer, string]),
        ("feat_set_float", None, [pointer, string, real]),
    ):
        function = getattr(flite, name)
        function.restype, function.argtypes = result, arguments


_LETTERS = str.maketrans(
    {"’": "'", "‘": "'", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "Æ": "Ae", "Œ": "Oe", "Ø": "O"}
)
_UNFIT = re.compile(r"[^A-Za-z0-9'.,:;!?-]+")


def _plain(word: str) -> str:
    """In the letters that Flite knows, and without the signs at which it would make two tokens of a word."""
    letters = unicodedata.normalize("NFKD", word.translate(_LETTERS)).encode("ascii", "ignore").decode()
    plain = _UNFIT.sub("", letters)
    return plain if re.search("[A-Za-z0-9]", plain) else ""


def _aligned(spoken: list[str], times: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The times of the words of a phrase, those for which nothing is said among them."""
    told, now = iter(times), 0.0
    aligned = []
    for word in spoken:
        start, end = next(told, (now, now)) if word else (now, now)
        start = max(start, now)
        now = max(start, end)
        aligned.append((start, now))
    return aligned
