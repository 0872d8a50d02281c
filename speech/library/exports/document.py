"""What a format is given to write, and what a format is."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from speech.library.transcript_view import iterate_segments
from speech.models import Session


class Word(Protocol):
    """Times in seconds, None where somebody wrote it in; confidence 0 to 1, or None if nobody knows."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> float | None: ...
    @property
    def end(self) -> float | None: ...
    @property
    def confidence(self) -> float | None: ...


class Segment(Protocol):
    """What somebody said in one go. Times in seconds."""

    @property
    def words(self) -> Sequence[Word]: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...
    @property
    def speaker(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Document:
    """A transcript with what is known of it. Its utterances are read once, as they are written."""

    title: str
    segments: Iterable[Segment]
    id: str = ""
    engine: str = ""
    language: str = ""
    started_at: datetime | None = None
    duration: float = 0.0
    """Seconds."""
    is_live: bool = False
    ledger: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session) -> "Document":
        return cls(
            title=session.display_title,
            segments=iterate_segments(session),
            id=str(session.pk),
            engine=session.engine,
            language=session.language,
            started_at=session.started_at,
            duration=session.duration,
            is_live=session.is_live,
            ledger=session.ledger._asdict(),
        )


@dataclass(frozen=True)
class Options:
    """What its reader may choose; a format that has no use for one ignores it."""

    times: bool = True
    """When each utterance begins."""
    speakers: bool = True
    words: bool = False
    """Word by word: words that light up as they are spoken, or a row for each."""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Options":
        """From `times=0&words=1` and the like; what is not said stays as it is by default."""
        names = [name for name in cls.__dataclass_fields__ if query.get(name)]
        return cls(**{name: query[name] not in ("0", "off", "false", "no") for name in names})


Write = Callable[[Document, Options], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    extension: str
    label: str
    content_type: str
    write: Write
    """Yields the file in pieces. An empty one says that it has worked a while, and others may have their turn."""
