"""Forced alignment for engines that report no word times: PocketSphinx aligns a text to its audio."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from num2words import num2words
from numpy.typing import NDArray
from pocketsphinx import Decoder

RATE = 16_000  # Hz
FRAME = 0.01  # seconds: the resolution of the decoder
TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[a-z']+")


@dataclass(frozen=True)
class Span:
    start: float
    end: float


class Aligner:
    def __init__(self) -> None:
        self._decoder = Decoder(lm=None, samprate=float(RATE), cmn="batch", loglevel="FATAL")

    def align(self, words: Sequence[str], audio: NDArray[np.float32]) -> list[Span]:
        """Return a span for each word, in seconds of the audio, ascending. `audio`: float32[n] at 16 kHz."""
        entries_by_word = [list(self._dictionary_entries(word)) for word in words]
        spans = self._spans([entry for entries in entries_by_word for entry in entries], audio)
        if spans is None:
            return by_length(words, len(audio) / RATE)
        remaining = iter(spans)
        word_spans: list[Span] = []
        for entries in entries_by_word:
            own = [next(remaining) for _ in entries]
            previous_end = word_spans[-1].end if word_spans else 0.0
            word_spans.append(Span(own[0].start, own[-1].end) if own else Span(previous_end, previous_end))
        return word_spans

    def _spans(self, entries: list[str], audio: NDArray[np.float32]) -> list[Span] | None:
        """Align dictionary entries; None if the decoder finds no alignment of all of them."""
        if not entries:
            return None
        try:
            self._decoder.reinit_feat()  # drop the noise estimate of other audio
            self._decoder.set_align_text(" ".join(entries))
            self._decoder.start_utt()
            self._decoder.process_raw((np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes(), full_utt=True)
            self._decoder.end_utt()
        except RuntimeError:
            return None
        spans = [
            Span(segment.start_frame * FRAME, (segment.end_frame + 1) * FRAME)
            for segment in self._decoder.seg() or ()
            if segment.word[0] not in "<[+"  # silence, noise, fillers
        ]
        return spans if len(spans) == len(entries) else None

    def _dictionary_entries(self, word: str) -> Iterator[str]:
        """Dictionary entries, one or several, as which a written word is spoken."""
        for token in TOKEN.findall(_plain(word)):
            if token[0].isdigit():
                yield from (entry for spoken in _number_words(token) for entry in self._dictionary_entries(spoken))
            elif token := token.strip("'"):
                self._add_to_dictionary(token)
                yield token

    def _add_to_dictionary(self, word: str) -> None:
        """Add a word that has no phones yet; otherwise its neighbors would get its time."""
        if self._decoder.lookup_word(word) is None:
            self._decoder.add_word(word, " ".join(phones_of(word)), False)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _number_words(written: str) -> list[str]:
    digits = written.replace(",", "")
    try:
        is_year = re.fullmatch(r"1[1-9]\d\d|20[1-9]\d", written) is not None
        return TOKEN.findall(str(num2words(digits, to="year" if is_year else "cardinal")).lower())
    except (ValueError, ArithmeticError, TypeError):  # 1.2.3
        return [str(num2words(digit)) for digit in digits if digit.isdigit()]


def by_length(words: Sequence[str], seconds: float) -> list[Span]:
    """Spans proportional to the number of letters: off by 0.2 to 0.4 s."""
    edges = np.cumsum([0, *(len(word) + 1 for word in words)])
    times = edges * (seconds / edges[-1]) if words else edges
    return [Span(float(start), float(end)) for start, end in pairwise(times)]


# --- Words that are not in the dictionary: names, mostly -----------------------------------------------------------

_LETTERS = {
    "tion": "SH AH N", "sch": "SH", "tch": "CH", "igh": "AY", "ch": "CH", "sh": "SH", "th": "TH", "ph": "F", "ck": "K",
    "qu": "K W", "wh": "W", "ng": "NG", "oo": "UW", "ee": "IY", "ea": "IY", "ai": "EY", "ay": "EY", "oa": "OW",
    "ou": "AW", "ow": "OW", "oy": "OY", "oi": "OY", "au": "AO", "aw": "AO", "ie": "IY", "ei": "EY", "ey": "IY",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH", "k": "K",
    "l": "L", "m": "M", "n": "N", "o": "AO", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH", "v": "V",
    "w": "W", "x": "K S", "y": "IY", "z": "Z",
}  # fmt: skip
_LONGEST_FIRST = re.compile("|".join(sorted(_LETTERS, key=len, reverse=True)))


def phones_of(word: str) -> list[str]:
    """Approximate pronunciation of a word in CMU dictionary phones; good enough for its times."""
    letters = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", re.sub(r"(?<=..)e$", "", word))
    return " ".join(_LETTERS[match] for match in _LONGEST_FIRST.findall(letters)).split() or ["AH"]
