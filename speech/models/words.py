"""The transcript of a session: the words as the engine recognized them, and the segments that users read.

Words never change. An original segment has its words by `Word.segment_index`; one that a correction made stores its
own. Segments that a correction replaced are kept so that it can be undone; users read the segments that are not
replaced.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from speech.text.alignment import TimedWord
from speech.text.folding import tokens

SPEAKER_LENGTH = 60  # characters
WORD_LENGTH = 200
MAX_INDEXED_TOKENS = 16_000
"""Of a segment: two hours of speech without a pause. PostgreSQL counts to 16,383."""
MAX_INDEXED_BYTES = 900_000
"""Of a segment. PostgreSQL rejects a row with more than 2**20; its positions take at most 5 bytes per token."""


class NextNumbers(NamedTuple):
    """Numbers that the next word and the next segment of a session get."""

    word: int = 0
    segment: int = 0
    open_segment: int | None = None
    """Number of a segment that has words and has not ended."""


class SearchField(models.TextField):
    """The folded tokens of another field, as the search needs them: a `tsvector` in PostgreSQL, which parses no text
    itself, and text with spaces between the tokens in SQLite, from which a trigger fills the index. PostgreSQL keeps
    256 positions of a token, so a phrase may not be found after that many occurrences of its words in one row.

    It is set whenever a row is stored, also in bulk, and never read.
    """

    def __init__(self, source: str) -> None:
        super().__init__(editable=False, default="")
        self.serialize = False  # a backup has the source
        self.source = source

    def deconstruct(self) -> Any:
        name, path, _, _ = super().deconstruct()
        return name, path, [], {"source": self.source}

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        return " ".join(_indexed_tokens(getattr(model_instance, self.source)))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if connection.vendor != "postgresql" or value is None:
            return value
        return " ".join(f"'{token}':{position}" for position, token in enumerate(value.split(), 1))

    def select_format(self, compiler: Any, sql: str, params: Any) -> tuple[str, tuple[()]]:
        return "NULL", ()


def _indexed_tokens(text: str) -> list[str]:
    found = tokens(text)[:MAX_INDEXED_TOKENS]
    sizes = accumulate(len(token.encode()) + 5 for token in found)
    return [token for token, size in zip(found, sizes, strict=True) if size <= MAX_INDEXED_BYTES]


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
    search = SearchField("text")
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
