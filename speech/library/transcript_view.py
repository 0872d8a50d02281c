"""A session as it is read: its utterances, as they were heard or as somebody corrected them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.db.models import Q

from speech.models import Segment, Session, TimedWord, Word

PAGE = 200
"""Segments asked for at once: a session of many hours never lies in memory as a whole."""


@dataclass(frozen=True)
class SegmentView:
    segment: Segment | None
    """None while it is still being said: it cannot be corrected yet."""
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
    """All at once, in order: two queries, however long it is."""
    heard: defaultdict[int | None, list[Word]] = defaultdict(list)
    for word in session.words.all():
        heard[word.segment_index].append(word)
    said = [(segment, heard.pop(segment.index, [])) for segment in session.segments.all()]
    standing = [(segment, words) for segment, words in said if segment.replaced_by_id is None]
    read = [of_segment(segment, segment.words_of(words)) for segment, words in standing]
    read += (_unended(words) for words in heard.values())
    return [utterance for utterance in read if utterance.words]


def iterate_segments(session: Session) -> Iterator[SegmentView]:
    """In order. Two queries a page; whoever iterates may take a long time over it, in any thread."""
    for segments in _pages(session):
        heard = session.words.by_segment(segments)
        read = (of_segment(segment, segment.words_of(heard[segment.index])) for segment in segments)
        yield from (utterance for utterance in read if utterance.words)
    yield from _unfinished_segment(session)


def of_segment(segment: Segment, words: Sequence[TimedWord] | None = None) -> SegmentView:
    return SegmentView(segment, segment.words if words is None else words, segment.start, segment.end)


def _pages(session: Session) -> Iterator[list[Segment]]:
    page = list(session.segments.current()[:PAGE])
    while page:
        yield page
        last = page[-1]
        later = Q(start__gt=last.start) | Q(start=last.start, id__gt=last.pk)
        page = list(session.segments.current().filter(later)[:PAGE])


def _unfinished_segment(session: Session) -> Iterator[SegmentView]:
    ended = session.segments.original().values("index")
    for _, group in groupby(session.words.exclude(segment_index__in=ended), lambda word: word.segment_index):
        yield _unended(list(group))


def _unended(words: Sequence[Word]) -> SegmentView:
    return SegmentView(None, [word.timed_word for word in words], words[0].start, words[-1].end)
