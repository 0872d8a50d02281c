"""eSpeak NG: a hundred languages on any CPU, from the wheel of `espeakng-loader`, which brings library and data.

eSpeak NG has the GNU General Public Licence, version 3. It is loaded in a process of its own.
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
SYNCHRONOUS = 2  # audio goes to the callback, within the call
UTF8 = 1
BY_CHARACTER = 1
RATE, PITCH = 1, 3  # parameters
WORDS_A_MINUTE, MIDDLE_PITCH = 175, 50  # their defaults
OK = 0
DO_NOT_EXIT = 0x8000
WORD_EVENT = 1
MALE, FEMALE = 1, 2

FIRST = ("en-us", "en-gb", "fr-fr")
"""What a newcomer sees first, of so many."""


class _Id(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),  # of a character, from 1
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),  # ms
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


class _Voice(ctypes.Structure):
    _fields_: ClassVar = [
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),  # a byte of priority, and a string
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
        # eSpeak has room for 160 bytes of a path, and takes no longer one: it would look elsewhere, find nothing, and
        # end the process. In a home with a long name it gets a short way to the same folder.
        self._short_way = tempfile.TemporaryDirectory(prefix="espeak-")
        data = Path(self._short_way.name, "data")
        data.symlink_to(espeakng_loader.get_data_path())
        self._espeak.espeak_Initialize.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int]
        self._rate = self._espeak.espeak_Initialize(SYNCHRONOUS, 0, str(data).encode(), DO_NOT_EXIT)
        if self._rate <= 0:
            raise OSError("eSpeak NG did not find its data. Install espeakng-loader again.")
        self._espeak.espeak_Synth.argtypes = [
            ctypes.c_char_p,
            ctypes.c_size_t,
            *[ctypes.c_uint] * 4,
            ctypes.c_void_p,
            ctypes.c_void_p,
        ]
        self._callback = _Callback(self._on_audio)  # eSpeak keeps no reference that Python knows of
        self._espeak.espeak_SetSynthCallback(self._callback)
        self._identifiers = dict(self._list_voices())
        self.voices = list(self._identifiers)
        self._by_name = {voice.name: identifier for voice, identifier in self._identifiers.items()}

    def render(self, words: list[str], voice: str, controls: Mapping[str, float]) -> Iterator[Rendered]:
        self._check(self._espeak.espeak_SetVoiceByName(self._by_name[voice]))
        self._espeak.espeak_SetParameter(RATE, round(WORDS_A_MINUTE * controls.get("speed", 1.0)), 0)
        self._espeak.espeak_SetParameter(PITCH, round(MIDDLE_PITCH * controls.get("pitch", 1.0)), 0)
        self._pcm: list[np.ndarray] = []
        self._words: list[tuple[int, int]] = []  # the character at which a word begins, and its sample
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
        return 0  # go on

    def _times(self, words: list[str], samples: int) -> list[tuple[float, float]]:
        """A word begins with the first that eSpeak makes of it, and ends where the next begins."""
        first_characters = [0, *accumulate(len(word) + 1 for word in words[:-1])]
        starts, now, told = [], 0, iter([*self._words, (1 << 30, samples)])
        position, sample = next(told)
        for first, word in zip(first_characters, words, strict=True):
            while position < first:
                position, sample = next(told)
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
            if b"mb/" in voice.identifier or language.startswith("x"):  # needs MBROLA's data, or is a test
                continue
            # Two voices may be of one language; what differs then is the file.
            name = language if language not in names else voice.identifier.decode().rpartition("/")[2].lower()
            names.add(name)
            kind = {MALE: "male", FEMALE: "female"}.get(voice.gender, "")
            about = f"Formant synthesis, {voice.name.decode()}"
            found.append((Voice(name, voice.name.decode(), language, kind, about), bytes(voice.identifier)))
        return iter(sorted(found, key=lambda each: (_rank(each[0].name), each[0].label)))

    @staticmethod
    def _check(result: int) -> None:
        if result != OK:
            raise OSError(f"eSpeak NG failed with {result}")


def _rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)
