"""What people changed in a session after it was heard, and how it is taken back.

A correction replaces segments by others. Nothing is deleted by it: what was replaced stays, bears the correction's
number, and stands again when the correction is undone.
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

if TYPE_CHECKING:
    from speech.models.session import Session

TEXT_LENGTH = 10_000  # characters of one utterance


class ChangedMeanwhile(Exception):
    """Somebody, maybe in another window, has changed what was to be changed."""


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def touching(self, seconds: float) -> Self:
        """Those of what was said, partly at least, after this moment."""
        after = models.Q(replaced__end__gt=seconds) | models.Q(made__end__gt=seconds)
        return self.filter(pk__in=self.filter(after).values("pk"))


class Correction(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", "Corrected"
        SPLIT = "split", "Split"
        MERGE = "merge", "Joined"
        SPEAKER = "speaker", "Named the speaker"
        REPLACE = "replace", "Replaced throughout, first"

    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="corrections")
    kind = models.CharField(max_length=10, choices=Kind)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    start = models.FloatField()
    """Seconds, of the utterance it is about."""
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    """What was changed, an utterance a line, or the speaker's names: for whoever reads the history."""
    undone_at = models.DateTimeField(null=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.before} → {self.after}"

    # --- Making one. Each returns what stands now, and raises `ChangedMeanwhile` ----------------------------------

    @classmethod
    def rewrite(cls, segment: Segment, by: User, text: str) -> "Correction":
        """Have an utterance say something else; its words keep the times they can."""
        text = " ".join(text.split())
        written = _like(segment, words=align(segment.words, text))
        return cls._replace([segment], [written], by, cls.Kind.TEXT, segment.text, text)

    @classmethod
    def split(cls, segment: Segment, by: User, word: int) -> "Correction":
        """Have another utterance begin with word number `word`. Raises `ValueError` if it is the first or none."""
        words = segment.words
        if not 0 < word < len(words):
            raise ValueError(f"An utterance of {len(words)} words cannot be split before number {word}.")
        first, second = words[:word], words[word:]
        border = next((time for time in (span(second)[0], span(first)[1]) if time is not None), segment.start)
        made = [_like(segment, words=first, end=border), _like(segment, words=second, start=border)]
        return cls._replace([segment], made, by, cls.Kind.SPLIT, segment.text, "\n".join(part.text for part in made))

    @classmethod
    def merge(cls, segment: Segment, following: Segment, by: User) -> "Correction":
        """Make one utterance of two."""
        made = _like(segment, words=[*segment.words, *following.words], end=max(segment.end, following.end))
        before = f"{segment.text}\n{following.text}"
        return cls._replace([segment, following], [made], by, cls.Kind.MERGE, before, made.text)

    @classmethod
    def name_speaker(cls, segment: Segment, by: User, speaker: str) -> "Correction":
        named = _like(segment, words=segment.words, speaker=speaker)
        return cls._replace([segment], [named], by, cls.Kind.SPEAKER, segment.speaker, speaker)

    @classmethod
    def replace_all(cls, session: "Session", by: User, replacement: Replacement) -> tuple["Correction | None", int]:
        """Have all utterances that say one thing say another. Returns how often it was said, too; the correction is
        None if it was not. Raises `ValueError` if an utterance would become too long."""
        standing = session.segments.current().select_related("session")
        said = [(segment, *replacement.apply(segment.text)) for segment in standing]
        found = {segment: text for segment, text, times in said if times}
        if any(len(text) > TEXT_LENGTH for text in found.values()):
            raise ValueError(f"An utterance would be longer than {TEXT_LENGTH} characters.")
        if not found:
            return None, 0
        heard = session.words.by_segment(found)
        made = [
            _like(segment, words=align(segment.words_of(heard[segment.index]), text)) for segment, text in found.items()
        ]
        correction = cls._replace([*found], made, by, cls.Kind.REPLACE, replacement.wanted, replacement.by)
        return correction, sum(times for *_, times in said)

    @classmethod
    def _replace(
        cls, segments: Sequence[Segment], made: Iterable[Segment], by: User, kind: str, before: str, after: str
    ) -> "Correction":
        session = segments[0].session
        with transaction.atomic():
            correction = cls.objects.create(
                session=session, kind=kind, by=by, start=segments[0].start, before=before, after=after
            )
            standing = session.segments.current().filter(pk__in=[segment.pk for segment in segments])
            if standing.update(replaced_by=correction) != len(segments):
                raise ChangedMeanwhile
            for segment in made:
                segment.created_by = correction
            Segment.objects.bulk_create(made)
            session.renew_opening()
        return correction

    # --- Taking it back -------------------------------------------------------------------------------------------

    @property
    def can_be_undone(self) -> bool:
        return self.undone_at is None and not self.made.exclude(replaced_by=None).exists()

    def undo(self) -> list[Segment]:
        """Returns what stands again. Raises `ChangedMeanwhile` if it was undone, or what it made was changed since."""
        with transaction.atomic():
            mine = Correction.objects.filter(pk=self.pk, undone_at=None)
            if not mine.update(undone_at=timezone.now()) or self.made.exclude(replaced_by=None).exists():
                raise ChangedMeanwhile
            self.made.all().delete()
            again = [segment.pk for segment in self.replaced.all()]
            self.replaced.update(replaced_by=None)
            self.session.renew_opening()
        return list(Segment.objects.filter(pk__in=again))


def _like(segment: Segment, *, words: Sequence[TimedWord], **changes: Any) -> Segment:
    """One that takes the place of `segment` or of a part of it."""
    fields = {"start": segment.start, "end": segment.end, "speaker": segment.speaker, **changes}
    text = " ".join(word.text for word in words)
    return Segment(session=segment.session, text=text, corrected=as_fields(words), **fields)
