"""Assembly of text tokens into words with times.

The model writes a word `delay` frames after it is spoken, one SentencePiece token per step: token 0 where the word
begins, and 3 while there is no text. Step `n` of the language model, counted from 1, stands for the audio at
`(n - delay) / 12.5` seconds, less the audio that is not the speaker's: the silence before the stream, and the silence
that flushes the last words.

The rules are those of Kyutai's own server (moshi-core, `asr.rs`), with these differences:

* A token that begins a word ends the one before it even without a 0 between them, and the word begins there; the server
  joins them to one word, or lets both begin at the last 0.
* A word ends with the first token that does not belong to it; the server waits for the beginning of the next word.
* The tokens for the start and end of a text are ignored. Bytes that form no character are dropped, and so is a word of
  which no text is left.
* Silence that the engine inserted takes no time, and no time is before the start of the stream.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp, log

WORD_BEGINS, PADDING = 0, 3
CONTROLS = (1, 2)
"""Tokens for the start and end of a text, which are not spoken."""
SPACE = "▁"
"""SentencePiece's mark of a token that begins a word."""
BROKEN = "\ufffd"
"""Replacement character, decoded from an incomplete character."""


@dataclass(frozen=True)
class RecognizedWord:
    text: str
    start: int  # frames of the speaker's audio
    end: int
    confidence: float


@dataclass
class Timeline:
    """Maps steps of the language model to frames of the speaker's audio."""

    delay: int
    lead: int
    """Frames of silence before the first frame of the speaker."""
    start: int = 0
    """The speaker's frame that follows the lead."""
    _passed: int = 0
    """Inserted frames that are entirely in the past."""
    _inserted: list[tuple[int, int]] = field(default_factory=list)
    """Position and number of inserted frames."""

    def frames(self, n: int) -> int:
        """Return the frame of audio for which the token of step `n` stands; `start` is the first."""
        at = n - self.delay - self.lead
        while self._inserted and at >= sum(self._inserted[0]):
            self._passed += self._inserted.pop(0)[1]
        within = sum(min(max(at - start, 0), count) for start, count in self._inserted)
        return self.start + max(0, at - self._passed - within)

    def insert_silence(self, n: int) -> None:
        """Record that step `n` processes silence that is not the speaker's."""
        at = n - 2 - self.lead  # step 1 gets no audio
        if self._inserted and sum(self._inserted[-1]) == at:
            self._inserted[-1] = (self._inserted[-1][0], self._inserted[-1][1] + 1)
        else:
            self._inserted.append((at, 1))


class WordAssembler:
    """Assembles the words of one stream."""

    def __init__(
        self, decode: Callable[[list[int]], str], id_to_piece: Callable[[int], str], timeline: Timeline
    ) -> None:
        """`decode` and `id_to_piece` are the tokenizer's: ids to text, and an id to its SentencePiece piece."""
        self._decode = decode
        self._id_to_piece = id_to_piece
        self._timeline = timeline
        self._tokens: list[int] = []
        self._surprisal = 0.0
        self._start = 0
        self._announced_start: int | None = None  # frame of a 0 that no token has followed yet
        self.pads = 0
        """Steps since the last text."""

    @property
    def open(self) -> str:
        """Text of a word that may continue."""
        return _clean(self._decode(self._tokens)) if self._tokens else ""

    @property
    def open_since(self) -> int:
        return self._start

    @property
    def begun_at(self) -> int | None:
        """Frame at which a word began that is not complete, or has no text yet; None without one."""
        return self._start if self._tokens else self._announced_start

    def add_token(self, n: int, token: int, confidence: float) -> RecognizedWord | None:
        """Add the token of step `n`; return the word that it ends, if any."""
        if n < self._timeline.delay:
            return None
        now = self._timeline.frames(n)
        if token in (WORD_BEGINS, PADDING):
            self.pads += 1
            word = self.end(now)
            if token == WORD_BEGINS:
                self._announced_start = now
            return word
        if token in CONTROLS:
            return None
        self.pads = 0
        word = self.end(now) if self._id_to_piece(token).startswith(SPACE) else None
        if not self._tokens:
            self._start = now if self._announced_start is None else self._announced_start
            self._announced_start = None
        self._tokens.append(token)
        self._surprisal -= log(max(confidence, 1e-9))
        return word

    def end(self, now: int) -> RecognizedWord | None:
        """End the current word and return it."""
        if not self._tokens:
            return None
        text = _clean(self._decode(self._tokens))
        confidence = exp(-self._surprisal / len(self._tokens))  # the geometric mean over its tokens
        self._tokens, self._surprisal = [], 0.0
        return RecognizedWord(text, self._start, now, confidence) if text else None


def _clean(text: str) -> str:
    """Remove what cannot be displayed and a database may reject: incomplete and control characters."""
    return "".join(letter for letter in text if letter.isprintable() and letter != BROKEN).strip()
