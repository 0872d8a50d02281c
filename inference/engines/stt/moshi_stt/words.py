"""From text tokens to words with times.

The model writes, `delay` frames after a sound, the pieces of a word one a step: token 0 where it begins, and 3 while
nothing is to be written. Step `n` of the language model, counted from 1, stands for the sound at `(n - delay) / 12.5`
seconds, less what was heard that the speaker did not say: the silence before the stream, and that with which the engine
brings out the last words.

The rules are those of Kyutai's own server (moshi-core, `asr.rs`), with these differences:

* A piece that begins a word ends the one before it, also where no 0 stands between, and the word begins there; the
  server makes one word of them, or has both begin at the last 0.
* A word ends with the first token that is no piece of it; the server waits for the beginning of the next.
* The begin and the end of a text are no pieces. Bytes that make no character are left out, and a word of which nothing
  is left is none.
* Silence that the engine put in takes no time, and no time lies before the stream.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, log

WORD_BEGINS, PADDING = 0, 3
CONTROLS = (1, 2)
"""The begin and end of a text, which the model may write and nobody says."""
SPACE = "▁"
"""SentencePiece's mark of a piece that begins a word."""
BROKEN = "\ufffd"
"""Stands where the bytes of a character are not all there yet."""


@dataclass(frozen=True)
class RecognizedWord:
    text: str
    start: int  # frames of the speaker's audio
    end: int
    confidence: float


@dataclass
class Timeline:
    """From steps of the language model to frames of the speaker's audio."""

    delay: int
    lead: int
    """Frames of silence heard before the first of the speaker's."""
    _before: int = 0
    """Frames that were put in and lie wholly behind."""
    _inserted: list[tuple[int, int]] = field(default_factory=list)
    """Where frames were put in, and how many."""

    def frames(self, n: int) -> int:
        """The frame of audio for which the token of step `n` stands; 0 is the first."""
        at = n - self.delay - self.lead
        while self._inserted and at >= sum(self._inserted[0]):
            self._before += self._inserted.pop(0)[1]
        within = sum(min(max(at - place, 0), count) for place, count in self._inserted)
        return max(0, at - self._before - within)

    def insert_silence(self, n: int) -> None:
        """Step `n` hears silence that is not the speaker's."""
        place = n - 2 - self.lead  # step 1 hears nothing
        if self._inserted and sum(self._inserted[-1]) == place:
            self._inserted[-1] = (self._inserted[-1][0], self._inserted[-1][1] + 1)
        else:
            self._inserted.append((place, 1))


class WordAssembler:
    """Puts the words of one stream together."""

    def __init__(self, decode: Callable[[list[int]], str], piece: Callable[[int], str], timeline: Timeline) -> None:
        """`decode` and `piece` are the tokenizer's: ids to text, and an id to its piece."""
        self._decode = decode
        self._piece = piece
        self._timeline = timeline
        self._pieces: list[int] = []
        self._token_confidences = 0.0
        self._start = 0
        self._started: int | None = None  # by a 0, and not yet by a piece
        self.pads = 0
        """Steps since one wrote something."""

    @property
    def open(self) -> str:
        """What is written of a word that may go on."""
        return _clean(self._decode(self._pieces)) if self._pieces else ""

    @property
    def open_since(self) -> int:
        return self._start

    def add_token(self, n: int, token: int, confidence: float) -> RecognizedWord | None:
        """The token of step `n`; gives the word that it ends, if it does."""
        if n < self._timeline.delay:
            return None
        now = self._timeline.frames(n)
        if token in (WORD_BEGINS, PADDING):
            self.pads += 1
            word = self.end(now)
            if token == WORD_BEGINS:
                self._started = now
            return word
        if token in CONTROLS:
            return None
        self.pads = 0
        word = self.end(now) if self._piece(token).startswith(SPACE) else None
        if not self._pieces:
            self._start = now if self._started is None else self._started
            self._started = None
        self._pieces.append(token)
        self._token_confidences -= log(max(confidence, 1e-9))
        return word

    def end(self, now: int) -> RecognizedWord | None:
        """Nothing more belongs to the word."""
        if not self._pieces:
            return None
        text = _clean(self._decode(self._pieces))
        confidence = exp(-self._token_confidences / len(self._pieces))  # the geometric mean over its pieces
        self._pieces, self._token_confidences = [], 0.0
        return RecognizedWord(text, self._start, now, confidence) if text else None


def _clean(text: str) -> str:
    """Without what nobody can read and a database may refuse: halves of characters, and the controls among them."""
    return "".join(letter for letter in text if letter.isprintable() and letter != BROKEN).strip()
