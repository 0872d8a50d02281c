"""The transcript of a session: the words as the engine recognized them, and the segments that users read.

Words never change. An original segment has its words by `Word.segment_index`; one that a correction made stores its
own. Segments that a correction replaced are kept so that it can be undone; users read the segments that are not
replaced.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

from django.db import models

from speech.text.alignment import TimedWord

SPEAKER_LENGTH = 60  # characters
WORD_LENGTH = 200


class NextNumbers(NamedTuple):
    """Numbers that the next word and the next segment of a session get."""

    word: int = 0
    segment: int = 0
    open_segment: int | None = None
    """Number of a segment that has words and has not ended."""


class SegmentQuerySet(models.QuerySet["Segment"]):
    def current(self) -> Self:
        """Segments that no correction has replaced."""
        return self.filter(replaced_by=None)

    def original(self) -> Self:
        """Segments as the engine ended them."""
        return self.filter(created_by=None)


class Segment(models.Model):
    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField(null=True)
    """Number in the session; None if a correction made it."""
    start = models.FloatField()  # seconds
    end = models.FloatField()
    text = models.TextField(blank=True)
    """Its words, copied here for search and lists."""
    speaker = models.CharField(max_length=SPEAKER_LENGTH, blank=True)
    is_inserted = models.BooleanField(default=False)
    """It was not transcribed: a reply, or typed text. Transcribing its time again doesn't replace it."""
    corrected = models.JSONField(null=True)
    """Words of a segment that a correction made: a list of `TimedWord` fields for each."""
    created_by = models.ForeignKey("speech.Correction", on_delete=models.CASCADE, null=True, related_name="made")
    replaced_by = models.ForeignKey("speech.Correction", on_delete=models.SET_NULL, null=True, related_name="replaced")

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ("start", "id")
        constraints = (models.UniqueConstraint(fields=["session", "index"], name="one_segment_per_index"),)

    def __str__(self) -> str:
        return self.text

    def words_of(self, recognized: Iterable["Word"]) -> list[TimedWord]:
        """Words to show. `recognized`: the session's words with this segment's index, needed only by an original
        segment."""
        if self.corrected is None:
            return [word.timed_word for word in recognized]
        return [TimedWord(*fields) for fields in self.corrected]

    def following(self) -> "Segment | None":
        """The next current segment."""
        later = models.Q(start__gt=self.start) | models.Q(start=self.start, id__gt=self.pk)
        return self.session.segments.current().filter(later).select_related("session").first()

    @property
    def words(self) -> list[TimedWord]:
        if self.corrected is not None or self.index is None:
            return self.words_of([])
        return self.words_of(self.session.words.filter(segment_index=self.index))


def as_fields(words: Sequence[TimedWord]) -> list[list[Any]]:
    """Value of `Segment.corrected`."""
    return [list(word) for word in words]


class WordQuerySet(models.QuerySet["Word"]):
    def by_segment(self, segments: Iterable[Segment]) -> defaultdict[int | None, list["Word"]]:
        """Words of the original ones among `segments`, by segment index."""
        by_index: defaultdict[int | None, list[Word]] = defaultdict(list)
        for word in self.filter(segment_index__in=[s.index for s in segments if s.index is not None]):
            by_index[word.segment_index].append(word)
        return by_index


class Word(models.Model):
    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="words")
    segment_index = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    text = models.CharField(max_length=WORD_LENGTH)
    start = models.FloatField()  # seconds
    end = models.FloatField()
    confidence = models.FloatField(null=True)  # 0 to 1

    objects = WordQuerySet.as_manager()

    class Meta:
        ordering = ("index",)
        constraints = (models.UniqueConstraint(fields=["session", "index"], name="one_word_per_index"),)

    def __str__(self) -> str:
        return self.text

    @property
    def timed_word(self) -> TimedWord:
        return TimedWord(self.text, self.start, self.end, self.confidence)
