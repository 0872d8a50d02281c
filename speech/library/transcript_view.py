"""The transcript of a session as users read it: its current segments with their words."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Q

from speech.models import Segment, Session, TimedWord, Word

PAGE_SIZE = 200
"""Segments per query, so that a session of many hours is never in memory as a whole."""


@dataclass(frozen=True)
class SegmentView:
    segment: Segment | None
    """None while it is still being spoken; it cannot be edited yet."""
    words: Sequence[TimedWord]
    start: float
    """Seconds, like `end`."""
    end: float

    @property
    def speaker(self) -> str:
        return self.segment.speaker if self.segment else ""

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


def transcript_segments(session: Session) -> list[SegmentView]:
    """All segments in order. Two queries, however long the session is."""
    by_index: defaultdict[int | None, list[Word]] = defaultdict(list)
    for word in session.words.all():
        by_index[word.segment_index].append(word)
    segments = [(segment, by_index.pop(segment.index, [])) for segment in session.segments.all()]
    current = [(segment, words) for segment, words in segments if segment.replaced_by_id is None]
    views = [segment_view(segment, segment.words_of(words)) for segment, words in current]
    views += (_unfinished_view(words) for words in by_index.values())
    return [view for view in views if view.words]


def iterate_segments(session: Session) -> Iterator[SegmentView]:
    """All segments in order. Two queries per page; callers can iterate slowly and in any thread."""
    for segments in _pages(session):
        words = session.words.by_segment(segments)
        views = (segment_view(segment, segment.words_of(words[segment.index])) for segment in segments)
        yield from (view for view in views if view.words)
    yield from _unfinished_segments(session)


def segment_view(segment: Segment, words: Sequence[TimedWord] | None = None) -> SegmentView:
    return SegmentView(segment, segment.words if words is None else words, segment.start, segment.end)


def _pages(session: Session) -> Iterator[list[Segment]]:
    page = list(session.segments.current()[:PAGE_SIZE])
    while page:
        yield page
        last = page[-1]
        later = Q(start__gt=last.start) | Q(start=last.start, id__gt=last.pk)
        page = list(session.segments.current().filter(later)[:PAGE_SIZE])


def _unfinished_segments(session: Session) -> Iterator[SegmentView]:
    ended = session.segments.original().values("index")
    for _, group in groupby(session.words.exclude(segment_index__in=ended), lambda word: word.segment_index):
        yield _unfinished_view(list(group))


def _unfinished_view(words: Sequence[Word]) -> SegmentView:
    return SegmentView(None, [word.timed_word for word in words], words[0].start, words[-1].end)
