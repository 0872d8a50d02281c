"""A reply as the client of a conversation plays it."""

from dataclasses import dataclass, field

from inference.messages import SAMPLE_RATE


@dataclass
class PlayedReply:
    number: int
    first_audio_at: float = 0.0
    audio: bytearray = field(default_factory=bytearray)
    words: list[tuple[str, float]] = field(default_factory=list)
    """Text, and end in seconds of the reply."""
    samples: int | None = None
    """Of the whole reply."""
    played: int = 0  # samples
    cut_at: float | None = None
    is_stopped: bool = False
    """The user asked for silence."""

    @property
    def is_over(self) -> bool:
        return self.cut_at is not None or self.is_stopped or self.is_complete

    @property
    def is_complete(self) -> bool:
        return self.samples is not None and self.played >= self.samples

    @property
    def text(self) -> list[str]:
        return [word for text, _ in self.words for word in text.split()]

    @property
    def played_words(self) -> int:
        words = [text for text, end in self.words if self.is_complete or end * SAMPLE_RATE <= self.played]
        return sum(len(text.split()) for text in words)
