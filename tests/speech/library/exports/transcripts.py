"""Transcripts to export, from ordinary to awkward."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from speech.library.exports import FORMATS, Document, Options
from speech.models import TimedWord

RIGHT_TO_LEFT = "مرحبا بالعالم، كيف حالك اليوم؟ שלום עולם"
EMOJI = "family 👨‍👩‍👧‍👦 flag 🇧🇷 thumbs 👍🏽 done ✅"
MARKUP = "<b>bold</b> & {\\an8} *stars* `code` [link](x) # | \\N --> =1+1"


@dataclass(frozen=True)
class Segment:
    words: list[TimedWord]
    start: float
    end: float
    speaker: str = ""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def segment_of(words: list[TimedWord], speaker: str = "") -> Segment:
    return Segment(words, words[0].start or 0.0, words[-1].end or 0.0, speaker)


def spoken(text: str, start: float = 0.0, pace: float = 0.4, speaker: str = "") -> Segment:
    """A segment with a word every `pace` seconds, each followed by a tenth of a second of silence."""
    words = [
        TimedWord(word, round(start + i * pace, 3), round(start + (i + 1) * pace - 0.1, 3), 0.9)
        for i, word in enumerate(text.split())
    ]
    return segment_of(words, speaker)


def conversation() -> list[Segment]:
    return [
        spoken("Good morning, did you sleep well?", 0.123, speaker="Ada"),
        spoken("Like a stone.", 3.457, speaker="Grace"),
        spoken(EMOJI, 6.001, speaker="Grace"),
        spoken(RIGHT_TO_LEFT, 12.25, speaker="Ada"),
        spoken(MARKUP, 18.5, speaker="Eve, the {third}"),
    ]


def hour() -> list[Segment]:
    """An hour with 9,000 words."""
    sentence = "we met at noon and spoke about the garden, the bridge and the long way home that we took."
    return [spoken(sentence, 7.2 * number, pace=0.35) for number in range(500)]


def write(extension: str, segments: Iterable[Segment], title: str = "A talk", **options: bool) -> bytes:
    return b"".join(FORMATS[extension].write(Document(title, segments), Options(**options)))


def texts(segments: Sequence[Segment]) -> list[str]:
    return [segment.text for segment in segments]
