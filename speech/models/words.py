"""What was said in a session: the words as the engine heard them, and the segments (utterances) as they are read.

Words are never changed. A segment that was heard has its words by `Word.segment_index`; one that a correction made
has its own. What a correction replaced stays, so that it can be put back: the segments that nothing has replaced are
what is read.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Self

from django.db import models

from speech.text.alignment import TimedWord

SPEAKER_LENGTH = 60  # characters


class SegmentQuerySet(models.QuerySet["Segment"]):
    def current(self) -> Self:
        """Those that are read."""
        return self.filter(replaced_by=None)

    def original(self) -> Self:
        return self.filter(created_by=None)


class Segment(models.Model):
    """An utterance."""

    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField(null=True)
    """Its number as it was heard; None where a correction made it."""
    start = models.FloatField()  # seconds
    end = models.FloatField()
    text = models.TextField(blank=True)
    """Its words once more, to be searched and listed without them."""
    speaker = models.CharField(max_length=SPEAKER_LENGTH, blank=True)
    corrected = models.JSONField(null=True)
    """The words of one that a correction made: of each the fields of `Spoken`."""
    created_by = models.ForeignKey("speech.Correction", on_delete=models.CASCADE, null=True, related_name="made")
    replaced_by = models.ForeignKey("speech.Correction", on_delete=models.SET_NULL, null=True, related_name="replaced")

    objects = SegmentQuerySet.as_manager()

    class Meta:
        ordering = ("start", "id")
        constraints = (models.UniqueConstraint(fields=["session", "index"], name="one_segment_per_index"),)

    def __str__(self) -> str:
        return self.text

    def words_of(self, heard: Iterable["Word"]) -> list[TimedWord]:
        """As they are read. `heard`: the words of the session with this segment's number, which only a segment that
        was heard needs."""
        if self.corrected is None:
            return [word.timed_word for word in heard]
        return [TimedWord(*fields) for fields in self.corrected]

    def following(self) -> "Segment | None":
        """The one that is read after it."""
        later = models.Q(start__gt=self.start) | models.Q(start=self.start, id__gt=self.pk)
        return self.session.segments.current().filter(later).select_related("session").first()

    @property
    def words(self) -> list[TimedWord]:
        if self.corrected is not None or self.index is None:
            return self.words_of([])
        return self.words_of(self.session.words.filter(segment_index=self.index))


def as_fields(words: Sequence[TimedWord]) -> list[list[Any]]:
    """For `Segment.corrected`."""
    return [list(word) for word in words]


class WordQuerySet(models.QuerySet["Word"]):
    def by_segment(self, segments: Iterable[Segment]) -> defaultdict[int | None, list["Word"]]:
        """The words of those of the segments that were heard, by the segments' numbers."""
        by_number: defaultdict[int | None, list[Word]] = defaultdict(list)
        for word in self.filter(segment_index__in=[s.index for s in segments if s.index is not None]):
            by_number[word.segment_index].append(word)
        return by_number


class Word(models.Model):
    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="words")
    segment_index = models.PositiveIntegerField()
    index = models.PositiveIntegerField()
    text = models.CharField(max_length=200)
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
