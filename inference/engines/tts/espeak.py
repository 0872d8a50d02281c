"""eSpeak NG: a hundred languages on any CPU, from the wheel `espeakng-loader`, which contains the library and its data.

eSpeak NG is under the GNU General Public License, version 3. It is loaded in a separate process.
"""

import ctypes
import tempfile
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import espeakng_loader
import numpy as np

from inference.engines.tts.phrase_synthesizer import PhraseSynthesizer, Rendered
from inference.messages import Voice

# From speak_lib.h.
SYNCHRONOUS = 2  # the callback receives audio during the call
UTF8 = 1
BY_CHARACTER = 1
RATE, PITCH = 1, 3  # parameters
DEFAULT_WORDS_PER_MINUTE, DEFAULT_PITCH = 175, 50
OK = 0
DO_NOT_EXIT = 0x8000
WORD_EVENT = 1
MALE, FEMALE = 1, 2

LISTED_FIRST = ("en-us", "en-gb", "fr-fr")
"""Voices at the top of the long list."""


class _Id(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # character, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


class _Voice(ctypes.Structure):
    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # one byte of priority, then a string
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    ]


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak(PhraseSynthesizer):
    def __init__(self, slots: int) -> None:
        super().__init__(slots, _Synthesizer())


class _Synthesizer:
    def __init__(self) -> None:
        self._espeak = ctypes.CDLL(str(espeakng_loader.get_library_path()))
        # eSpeak's path buffer has 160 bytes. With a longer path it searches elsewhere, finds nothing and exits the
        # process, so it gets a short symbolic link to the same folder.
        self._link_folder = tempfile.TemporaryDirectory(prefix="espeak-")
        data = Path(self._link_folder.name, "data")
        data.symlink_to(espeakng_loader.get_data_path())
        self._espeak.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._rate = self._espeak.espeak_Initialize(SYNCHRONOUS, 0, str(data).encode(), DO_NOT_EXIT)
        if self._rate <= 0:
            raise OSError("eSpeak NG did not find its data. Reinstall espeakng-loader.")
        self._espeak.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            *[ctypes.c_uint] * 4,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._callback = _Callback(self._on_audio)  # keep it alive for eSpeak
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._identifiers = dict(self._list_voices())
        self.voices = list(self._identifiers)
        self._by_name = {voice.name: identifier for voice, identifier in self._identifiers.items()}

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterator[Rendered]:
        self._check(self._espeak.espeak_SetVoiceByName(self._by_name[voice]))
        self._espeak.espeak_SetParameter(RATE, round(DEFAULT_WORDS_PER_MINUTE * controls.get("speed", 1.0)), 0)
        self._espeak.espeak_SetParameter(PITCH, round(DEFAULT_PITCH * controls.get("pitch", 1.0)), 0)
        self._pcm: list[np.ndarray] = []
        self._words: list[tuple[int, int]] = []  # first character of a word, and its sample
        text = " ".join(words)
        encoded = text.encode()
        self._check(self._espeak.espeak_Synth(encoded, len(encoded) + 1, 0, BY_CHARACTER, 0, UTF8, None, None))
        pcm = np.concatenate(self._pcm) if self._pcm else np.zeros(0, np.int16)
        yield Rendered(pcm, self._rate, self._times(words, len(pcm)))

    def _on_audio(self, wave: Any, samples: int, events: Any) -> int:
        if wave and samples > 0:
            self._pcm.append(np.ctypeslib.as_array(wave, (samples,)).copy())
        number = 0
        while events[number].type:
            if events[number].type == WORD_EVENT:
                self._words.append((events[number].text_position - 1, events[number].sample))
            number += 1
        return 0  # continue

    def _times(self, words: list[str], samples: int) -> list[tuple[float, float]]:
        """Start and end of each word, seconds: from the first eSpeak event in the word to the next word's start."""
        first_characters = [0, *accumulate(len(word) + 1 for word in words[:-1])]
        starts, now, events = [], 0, iter([*self._words, (1 << 30, samples)])
        position, sample = next(events)
        for first, word in zip(first_characters, words, strict=True):
            while position < first:
                position, sample = next(events)
            if position < first + len(word):
                now = max(now, sample)
            starts.append(now)
        return [
            (start / self._rate, end / self._rate) for start, end in zip(starts, [*starts[1:], samples], strict=True)
        ]

    def _list_voices(self) -> Iterator[tuple[Voice, bytes]]:
        self._espeak.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        listed, found, number = self._espeak.espeak_ListVoices(None), [], 0
        names: set[str] = set()
        while listed[number]:
            voice = listed[number].contents
            number += 1
            language = ctypes.string_at(voice.languages + 1).decode()
            # MBROLA voices need extra data, and the languages with an x are tests.
            if b"mb/" in voice.identifier or language.startswith("x"):
                continue
            # Two voices may have the same language; their file names differ.
            name = language if language not in names else voice.identifier.decode().rpartition("/")[2].lower()
            names.add(name)
            kind = {MALE: "male", FEMALE: "female"}.get(voice.gender, "")
            description = f"Formant synthesis, {voice.name.decode()}"
            listed_voice = Voice(name, voice.name.decode(), language, kind, description, "GPLv3")
            found.append((listed_voice, bytes(voice.identifier)))
        return iter(sorted(found, key=lambda each: (_rank(each[0].name), each[0].label)))

    @staticmethod
    def _check(result: int) -> None:
        if result != OK:
            raise OSError(f"eSpeak NG failed with error {result}")


def _rank(name: str) -> int:
    return LISTED_FIRST.index(name) if name in LISTED_FIRST else len(LISTED_FIRST)
