"""The transcript of a session as users read it: its current segments with their words."""

from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from operator import attrgetter

from django.db.models import Q

from speech.models import Segment, Session, TimedWord, Word
from speech.models.conversation import USER
from speech.text.word_spacing import join_words

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
    speaker: str = ""

    @property
    def text(self) -> str:
        return join_words(word.text for word in self.words)


def transcript_segments(session: Session) -> list[SegmentView]:
    """All segments in order of time. A few queries, however long the session is."""
    by_index: defaultdict[int | None, list[Word]] = defaultdict(list)
    for word in session.words.all():
        by_index[word.segment_index].append(word)
    segments = [(segment, by_index.pop(segment.index, [])) for segment in session.segments.all()]
    current = [(segment, words) for segment, words in segments if segment.replaced_by_id is None]
    views = [segment_view(segment, segment.words_of(words)) for segment, words in current]
    unfinished = _unfinished_views(session, by_index)
    return sorted((view for view in [*views, *unfinished.values()] if view.words), key=attrgetter("start"))


def iterate_segments(session: Session) -> Iterator[SegmentView]:
    """All segments in order of time. Two queries per page; callers can iterate slowly and in any thread."""
    by_index: defaultdict[int | None, list[Word]] = defaultdict(list)
    for word in session.words.exclude(segment_index__in=session.segments.original().values("index")):
        by_index[word.segment_index].append(word)
    unfinished = _unfinished_views(session, by_index)
    yield from merge(_ended_segments(session, unfinished), unfinished.values(), key=attrgetter("start"))


def _ended_segments(session: Session, unfinished: Container[int | None]) -> Iterator[SegmentView]:
    """Without those that were `unfinished` before and have ended meanwhile."""
    for segments in _pages(session):
        words = session.words.by_segment(segments)
        for segment in segments:
            view = segment_view(segment, segment.words_of(words[segment.index]))
            if view.words and (segment.index is None or segment.index not in unfinished):
                yield view


def segment_view(segment: Segment, words: Sequence[TimedWord] | None = None) -> SegmentView:
    words = segment.words if words is None else words
    return SegmentView(segment, words, segment.start, segment.end, segment.speaker)


def _pages(session: Session) -> Iterator[list[Segment]]:
    page = list(session.segments.current()[:PAGE_SIZE])
    while page:
        yield page
        last = page[-1]
        later = Q(start__gt=last.start) | Q(start=last.start, id__gt=last.pk)
        page = list(session.segments.current().filter(later)[:PAGE_SIZE])


def _unfinished_views(session: Session, by_index: Mapping[int | None, Sequence[Word]]) -> dict[int | None, SegmentView]:
    """Views of words whose segment has not ended, by its index. In a conversation they are the user's."""
    speaker = USER if by_index and session.is_conversation else ""
    return {
        index: SegmentView(None, [word.timed_word for word in words], words[0].start, words[-1].end, speaker)
        for index, words in sorted(by_index.items(), key=lambda item: item[1][0].start)
    }
