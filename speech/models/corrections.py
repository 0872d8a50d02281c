"""Edits of a session's transcript, and how to undo them.

A correction replaces segments by others and deletes nothing: the replaced segments stay, refer to the correction, and
become current again when it is undone.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone

from accounts.models import User
from speech.models.words import Segment, as_fields
from speech.text.alignment import TimedWord, align, span
from speech.text.find_replace import Replacement
from speech.text.word_spacing import join_words

if TYPE_CHECKING:
    from speech.models.session import Session

TEXT_LENGTH = 10_000  # characters of one segment
MAX_ADDED = 100_000
"""Characters by which one replacement can lengthen a transcript: some two hours of speech."""


class ChangedMeanwhile(Exception):
    """The segments to change have already been changed, perhaps in another window."""


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def after(self, seconds: float) -> Self:
        """Corrections of segments that end after this time."""
        is_after = models.Q(replaced__end__gt=seconds) | models.Q(made__end__gt=seconds)
        return self.filter(pk__in=self.filter(is_after).values("pk"))


class Correction(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", "Edited"
        SPLIT = "split", "Split"
        MERGE = "merge", "Merged"
        SPEAKER = "speaker", "Speaker changed"
        REPLACE = "replace", "Replaced all, first"

    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="corrections")
    kind = models.CharField(max_length=10, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    start = models.FloatField()
    """Seconds; the start of the first corrected segment."""
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    """Texts for the history: one line per segment, or the speaker's names."""
    undone_at = models.DateTimeField(null=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.before} → {self.after}"

    # --- Making a correction. Each method raises `ChangedMeanwhile` if a segment is no longer current -----------------

    @classmethod
    def rewrite(cls, segment: Segment, by: User, text: str) -> "Correction":
        """Replace a segment's text; words keep their times where they can."""
        text = " ".join(text.split())
        new_segment = _replacement_for(segment, words=align(segment.words, text))
        return cls._replace([segment], [new_segment], by, cls.Kind.TEXT, segment.text, text)

    @classmethod
    def split(cls, segment: Segment, by: User, word: int) -> "Correction":
        """Start a new segment at word number `word`. Raises `ValueError` if that is the first word or none."""
        words = segment.words
        if not 0 < word < len(words):
            raise ValueError(f"Can't split a segment of {len(words)} words before word {word}.")
        first, second = words[:word], words[word:]
        border = next((time for time in (span(second)[0], span(first)[1]) if time is not None), segment.start)
        made = [
            _replacement_for(segment, words=first, end=border),
            _replacement_for(segment, words=second, start=border),
        ]
        return cls._replace([segment], made, by, cls.Kind.SPLIT, segment.text, "\n".join(part.text for part in made))

    @classmethod
    def merge(cls, segment: Segment, following: Segment, by: User) -> "Correction":
        """Merge two segments into one. Raises `ValueError` if it would be too long."""
        length = len(segment.text) + 1 + len(following.text)
        if length > TEXT_LENGTH:
            raise ValueError(
                f"Not merged: the segment would have {length} characters, and the limit is {TEXT_LENGTH}. "
                "Split one of them first, or leave them apart."
            )
        words = [*segment.words, *following.words]
        made = _replacement_for(segment, words=words, end=max(segment.end, following.end))
        before = f"{segment.text}\n{following.text}"
        return cls._replace([segment, following], [made], by, cls.Kind.MERGE, before, made.text)

    @classmethod
    def name_speaker(cls, segment: Segment, by: User, speaker: str) -> "Correction":
        named = _replacement_for(segment, words=segment.words, speaker=speaker)
        return cls._replace([segment], [named], by, cls.Kind.SPEAKER, segment.speaker, speaker)

    @classmethod
    def replace_all(cls, session: "Session", by: User, replacement: Replacement) -> tuple["Correction | None", int]:
        """Replace a text in all segments. Returns the correction, None if there was no match, and the number of
        matches. Raises `ValueError` if a segment or the transcript would become too long."""
        changed, total = cls._replaced_texts(session, replacement)
        if not changed:
            return None, 0
        words = session.words.by_segment(changed)
        made = [
            _replacement_for(segment, words=align(segment.words_of(words[segment.index]), text))
            for segment, text in changed.items()
        ]
        correction = cls._replace([*changed], made, by, cls.Kind.REPLACE, replacement.find, replacement.replace_with)
        return correction, total

    @staticmethod
    def _replaced_texts(session: "Session", replacement: Replacement) -> tuple[dict[Segment, str], int]:
        """The new texts of the segments with a match, and the number of matches."""
        changed: dict[Segment, str] = {}
        total = added = 0
        for segment in session.segments.current().select_related("session"):
            text, count = replacement.apply(segment.text)
            if not count:
                continue
            if len(text) > max(TEXT_LENGTH, len(segment.text)):
                raise ValueError(
                    f"A segment can't be longer than {TEXT_LENGTH} characters. Use a shorter replacement, or split the "
                    "segment first."
                )
            changed[segment] = text
            total += count
            added += max(0, len(text) - len(segment.text))
            if added > MAX_ADDED:
                raise ValueError(
                    f"One replacement can't add more than {MAX_ADDED} characters to a transcript. Use a shorter one."
                )
        return changed, total

    @classmethod
    def _replace(
        cls, segments: Sequence[Segment], made: Iterable[Segment], by: User, kind: str, before: str, after: str
    ) -> "Correction":
        session = segments[0].session
        with transaction.atomic():
            correction = cls.objects.create(
                session=session, kind=kind, by=by, start=segments[0].start, before=before, after=after
            )
            current = session.segments.current().filter(pk__in=[segment.pk for segment in segments])
            if current.update(replaced_by=correction) != len(segments):
                raise ChangedMeanwhile
            for segment in made:
                segment.created_by = correction
            Segment.objects.bulk_create(made)
            session.update_opening()
        return correction

    # --- Undoing it -----------------------------------------------------------------------------------------------

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and not self.made.exclude(replaced_by=None).exists()

    def undo(self) -> list[Segment]:
        """Make the replaced segments current again, and return them. Raises `ChangedMeanwhile` if the correction is
        undone already, or a later one replaced its segments."""
        with transaction.atomic():
            not_undone = Correction.objects.filter(pk=self.pk, undone_at=None)
            if not not_undone.update(undone_at=timezone.now()) or self.made.exclude(replaced_by=None).exists():
                raise ChangedMeanwhile
            self.made.all().delete()
            restored = [segment.pk for segment in self.replaced.all()]
            self.replaced.update(replaced_by=None)
            self.session.update_opening()
        return list(Segment.objects.filter(pk__in=restored))


def _replacement_for(segment: Segment, *, words: Sequence[TimedWord], **changes: Any) -> Segment:
    """A new segment in place of `segment` or of a part of it."""
    fields = {name: getattr(segment, name) for name in ("start", "end", "speaker", "is_inserted")} | changes
    text = join_words(word.text for word in words)
    return Segment(session=segment.session, text=text, corrected=as_fields(words), **fields)
