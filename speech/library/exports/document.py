"""Export formats, and the documents and options that they take."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from speech.library.transcript_view import iterate_segments
from speech.models import Session


class Word(Protocol):
    """Times in seconds, None if an edit inserted the word; confidence 0 to 1, or None if unknown."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> float | None: ...
    @property
    def end(self) -> float | None: ...
    @property
    def confidence(self) -> float | None: ...


class Segment(Protocol):
    """Times in seconds."""

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
    """A transcript and its metadata. Formats iterate its segments once, while writing."""

    title: str
    segments: Iterable[Segment]
    id: str = ""
    engine: str = ""
    language: str = ""
    started_at: datetime | None = None
    """In the reader's time zone."""
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
            started_at=session.started_at and session.local_start,
            duration=session.duration,
            is_live=session.is_live,
            ledger=session.ledger._asdict(),
        )


@dataclass(frozen=True)
class Options:
    """Options of an export; a format ignores those that it doesn't support."""

    times: bool = True
    """Start times of segments."""
    speakers: bool = True
    words: bool = False
    """Word-level timing: words highlighted as they are spoken, or a row for each word."""

    @classmethod
    def of(cls, query: Mapping[str, Any]) -> "Options":
        """Options from a query such as `times=0&words=1`; missing ones keep their defaults."""
        names = [name for name in cls.__dataclass_fields__ if query.get(name)]
        return cls(**{name: query[name] not in ("0", "off", "false", "no") for name in names})


Write = Callable[[Document, Options], Iterator[bytes]]

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(f"{chr(last - 1)}{chr(last)}" for last in range(0xFFFF, 0x110000, 0x10000))
"""Unicode has no characters there. XML has no place for them, and ffmpeg rejects a subtitle with one."""
_NOT_TEXT = re.compile(f"[\x00-\x1f\x7f-\x9f{_NONCHARACTERS}]")


def one_line(text: str) -> str:
    """A user's text without line breaks, which have a meaning in most formats, and without what isn't text."""
    return " ".join(_NOT_TEXT.sub("", " ".join(text.split())).split())


@dataclass(frozen=True)
class Format:
    extension: str
    label: str
    content_type: str
    write: Write
    """Yields the file in chunks. An empty chunk lets other work run after a while without output."""
