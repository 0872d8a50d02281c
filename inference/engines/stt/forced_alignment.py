"""When each word of a text is spoken, for engines that tell no times: PocketSphinx aligns the text to its audio."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from num2words import num2words
from numpy.typing import NDArray
from pocketsphinx import Decoder

RATE = 16_000  # Hz
FRAME = 0.01  # seconds: its grain
PIECE = re.compile(r"\d+(?:[.,]\d+)*|[a-z']+")


@dataclass(frozen=True)
class Span:
    start: float
    end: float


class Aligner:
    def __init__(self) -> None:
        self._decoder = Decoder(lm=None, samprate=float(RATE), cmn="batch", loglevel="FATAL")

    def align(self, words: Sequence[str], audio: NDArray[np.float32]) -> list[Span]:
        """A span for each word, in seconds of the audio, ascending. `audio`: float32[n] at 16 kHz."""
        spoken = [list(self._pronounce(word)) for word in words]
        seconds = len(audio) / RATE
        spans = self._spans([each for word in spoken for each in word], audio)
        if spans is None:
            return by_length(words, seconds)
        spans_in_order = iter(spans)
        found: list[Span] = []
        for each in spoken:
            own = [next(spans_in_order) for _ in each]
            before = found[-1].end if found else 0.0
            found.append(Span(own[0].start, own[-1].end) if own else Span(before, before))
        return found

    def _spans(self, spoken: list[str], audio: NDArray[np.float32]) -> list[Span] | None:
        """None: it finds no way from the first to the last of them through the audio."""
        if not spoken:
            return None
        try:
            self._decoder.reinit_feat()  # it must not remember the noise of other audio
            self._decoder.set_align_text(" ".join(spoken))
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
        return spans if len(spans) == len(spoken) else None

    def _pronounce(self, word: str) -> Iterator[str]:
        """Words of its dictionary, one or several, as which a written one is spoken."""
        for piece in PIECE.findall(_plain(word)):
            if piece[0].isdigit():
                yield from (each for part in _number(piece) for each in self._pronounce(part))
            elif piece := piece.strip("'"):
                self._add_to_dictionary(piece)
                yield piece

    def _add_to_dictionary(self, word: str) -> None:
        """A word without phones would leave its time to its neighbours."""
        if self._decoder.lookup_word(word) is None:
            self._decoder.add_word(word, " ".join(phones_of(word)), False)


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _number(written: str) -> list[str]:
    digits = written.replace(",", "")
    try:
        is_year = re.fullmatch(r"1[1-9]\d\d|20[1-9]\d", written) is not None
        return PIECE.findall(str(num2words(digits, to="year" if is_year else "cardinal")).lower())
    except (ValueError, ArithmeticError, TypeError):  # 1.2.3
        return [str(num2words(digit)) for digit in digits if digit.isdigit()]


def by_length(words: Sequence[str], seconds: float) -> list[Span]:
    """As if each letter took as long as every other: off by 0.2 to 0.4 s."""
    edges = np.cumsum([0, *(len(word) + 1 for word in words)])
    times = edges * (seconds / edges[-1]) if words else edges
    return [Span(float(start), float(end)) for start, end in pairwise(times)]


# --- Words that no dictionary has: names, mostly -------------------------------------------------------------------

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
    """How a word is perhaps spoken, in the phones of the CMU dictionary. For its times that is good enough."""
    letters = re.sub(r"([b-df-hj-np-tv-z])\1", r"\1", re.sub(r"(?<=..)e$", "", word))
    return " ".join(_LETTERS[match] for match in _LONGEST_FIRST.findall(letters)).split() or ["AH"]
