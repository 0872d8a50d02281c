"""A session: what a user keeps of a stream, or of several that went on with each other."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.dispatch import Signal
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from inference.messages import SAMPLE_RATE, UNKNOWN_LANGUAGE
from speech.errors import NotApproved, QuotaReached, SessionNotFound, TooManyStreams
from speech.events import Endpoint
from speech.events import Word as SpokenWord
from speech.models.ledger import Counts, Ledger
from speech.models.session_set import LIVE_TIMEOUT, Retention, SessionQuerySet
from speech.models.signals import session_finished
from speech.models.tag import Tag
from speech.models.words import Segment, Word

audio_deleted = Signal()
"""A session stays without its recording: sender=Session, session."""

TITLE_WORDS = 8
TITLE_LENGTH = 200  # characters
TIME_ERROR = 0.005
"""Seconds; times of words are rounded."""
OPENING_WORDS = 50
OPENING_LENGTH = 300  # characters


class Session(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    opening = models.CharField(max_length=OPENING_LENGTH, blank=True)
    """Its first words, so that a list of sessions need not look at any others."""
    engine = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=20, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="sessions")

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(default=timezone.now)

    samples = models.BigIntegerField(default=0)
    """Everything before this sample (24 kHz) is transcribed and stored."""
    received = models.BigIntegerField(default=0)
    dropped = models.BigIntegerField(default=0)
    engines_lost = models.PositiveIntegerField(default=0)
    """As `Counts` has them."""
    epoch = models.PositiveIntegerField(default=0)
    """Counts the streams that wrote into this session, one after another; only the newest may."""

    saves_audio = models.BooleanField(default=False)
    """Whether its speaker lets it be recorded."""
    audio_bytes = models.BigIntegerField(default=0)
    """What its recording takes, once it is over."""
    retention = models.CharField(max_length=10, choices=Retention, default=Retention.SITE)
    expires_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    """When its owner deleted it; for a while it can be put back."""

    objects = SessionQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["owner", "title", "opening", "id"]),  # to list them by title
        )

    def __str__(self) -> str:
        return self.display_title

    def get_absolute_url(self) -> str:
        return reverse("session", args=[self.pk])

    @property
    def display_title(self) -> str:
        if self.title:
            return self.title
        words = self.opening.split()[:TITLE_WORDS]
        if not words:
            return "Nothing was said"
        title = " ".join(words)
        return title[:1].upper() + title[1:] + ("…" if len(self.opening.split()) > TITLE_WORDS else "")

    @property
    def first_words(self) -> str:
        return self.opening

    @property
    def file_name(self) -> str:
        """Without an extension; plain enough for every file system."""
        began = self.started_at or self.created_at
        return slugify(f"{began:%Y-%m-%d} {self.display_title}")[:80]

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / SAMPLE_RATE

    @property
    def retention_days(self) -> int | None:
        """From its beginning, where it is kept for some days."""
        return (self.expires_at - self.created_at).days if self.expires_at else None

    @property
    def ledger(self) -> Ledger:
        return Ledger(
            recorded=self.received + self.dropped,
            received=self.received,
            stored=self.samples,
            dropped=self.dropped,
            reconnects=self.epoch,
            engines_lost=self.engines_lost,
        )

    @property
    def is_live(self) -> bool:
        return self.ended_at is None and self.seen_at > timezone.now() - LIVE_TIMEOUT

    # --- The life of a session. Synchronous: streams call these in the database thread ----------------------------

    @classmethod
    def acquire(cls, owner: User, resume: uuid.UUID | None, saves_audio: bool = False) -> "Session":
        """A new session, or the user's own interrupted one, for a stream that is about to write into it. Whether it is
        recorded is decided when it is new.

        Raises `TooManyStreams`, `QuotaReached`, `NotApproved`, or `NoSession`.
        """
        with transaction.atomic():
            # Locks the user's row, so that a hundred sockets at once are counted one after another; but not its key,
            # which PostgreSQL looks at when the stream before commits.
            if not User.objects.select_for_update(no_key=True).get(pk=owner.pk).is_approved:
                raise NotApproved
            others = cls.objects.of(owner).live_by_users().exclude(pk=resume or uuid.UUID(int=0))
            if others.count() >= settings.STREAMS_PER_USER:
                raise TooManyStreams(why=f"One account may have {settings.STREAMS_PER_USER} at once.")
            if resume is None:
                usage = cls.objects.of(owner).usage()
                if usage.sessions.is_reached:
                    raise QuotaReached(why=f"You keep {usage.sessions}, which is all that this site allows.")
                saves_audio = saves_audio and settings.RECORD_AUDIO and not usage.audio.is_reached
                return cls.objects.create(owner=owner, saves_audio=saves_audio)
            # Locked before anything is forgotten: what the stream before this one commits meanwhile comes before the
            # epoch, or not at all.
            session = cls.objects.of(owner).select_for_update(no_key=True).filter(pk=resume).first()
            if session is None:
                raise SessionNotFound
            session._discard_pending()
            session.epoch += 1
            session.ended_at, session.seen_at = None, timezone.now()
            session.save(update_fields=["epoch", "ended_at", "seen_at"])
            return session

    def _discard_pending(self) -> None:
        """What a stream stored beyond `samples` was for a speaker who might not come back."""
        settled = self.samples / SAMPLE_RATE - TIME_ERROR
        self.corrections.touching(settled + 2 * TIME_ERROR).delete()
        self.words.filter(start__gte=settled).delete()
        self.segments.filter(start__gte=settled).delete()

    def begin(self, engine: str, language: str) -> tuple[int, int]:
        """A slot was found. Returns how many words and segments are stored already."""
        was_found = language == UNKNOWN_LANGUAGE and self.language != ""
        self.engine, self.language = engine, self.language if was_found else language
        self.started_at = self.started_at or timezone.now()
        self._if_current().update(
            engine=engine, language=self.language, started_at=self.started_at, seen_at=timezone.now()
        )
        return self.words.count(), self.segments.original().count()

    def commit(self, samples: int, words: Sequence[SpokenWord], endpoints: Sequence[Endpoint], counts: Counts) -> bool:
        """Store what was said before sample `samples`. False if another stream has taken the session over.

        A commit that is repeated changes nothing: words and segments are keyed by their number in the session.
        """
        with transaction.atomic():
            if not self._if_current().update(samples=samples, seen_at=timezone.now(), **asdict(counts)):
                return False
            Word.objects.bulk_create(
                (
                    Word(
                        session=self,
                        segment_index=word.segment,
                        index=word.index,
                        text=word.text,
                        start=word.start,
                        end=word.end,
                        confidence=word.confidence,
                    )
                    for word in words
                ),
                ignore_conflicts=True,
            )
            if endpoints:
                self._store_segments(endpoints)
                self._set_language(endpoints)
            if words and words[0].index < OPENING_WORDS:
                opening = " ".join(self.words.values_list("text", flat=True)[:OPENING_WORDS])
                self._if_current().update(opening=opening[:OPENING_LENGTH])
        return True

    def _store_segments(self, endpoints: Sequence[Endpoint]) -> None:
        said: defaultdict[int, list[str]] = defaultdict(list)
        indexes = [endpoint.segment for endpoint in endpoints]
        for index, text in self.words.filter(segment_index__in=indexes).values_list("segment_index", "text"):
            said[index].append(text)
        Segment.objects.bulk_create(
            (
                Segment(
                    session=self,
                    index=e.segment,
                    start=e.start,
                    end=e.end,
                    text=" ".join(said[e.segment]),
                    speaker=e.speaker,
                )
                for e in endpoints
            ),
            ignore_conflicts=True,
        )

    def _set_language(self, endpoints: Sequence[Endpoint]) -> None:
        """That of most of what is told at once, first; what comes later may be a loan."""
        found = Counter(e.language for e in endpoints if e.language)
        if self.language == UNKNOWN_LANGUAGE and found:
            self.language = found.most_common(1)[0][0]
            self._if_current().update(language=self.language)

    def end(self) -> None:
        """The stream is over; a session in which nothing could be said leaves nothing behind."""
        with transaction.atomic():
            mine = self._if_current()
            if mine.filter(Q(started_at=None) | Q(samples=0)).delete()[0]:
                return
            if mine.update(ended_at=timezone.now()):
                session_finished.send(Session, session=mine.get())

    def _if_current(self) -> SessionQuerySet:
        return Session.objects.filter(pk=self.pk, epoch=self.epoch, deleted_at=None)

    # --- What its owner does with it --------------------------------------------------------------------------------

    def renew_opening(self) -> None:
        """After a correction."""
        texts = self.segments.current().values_list("text", flat=True)[:OPENING_WORDS]
        words = " ".join(texts).split()[:OPENING_WORDS]
        self.opening = " ".join(words)[:OPENING_LENGTH]
        self.save(update_fields=["opening"])

    def tag_as(self, names: Iterable[str]) -> None:
        """Have these tags and no others."""
        self.tags.set(Tag.named(self.owner, names))

    def delete_audio(self) -> None:
        """The words stay."""
        self.saves_audio, self.audio_bytes = False, 0
        self.save(update_fields=["saves_audio", "audio_bytes"])
        audio_deleted.send(Session, session=self)

    def set_retention(self, rule: str, days: int = 0) -> None:
        """Until when it is kept; `days` from its beginning, where the rule says so."""
        self.retention = rule
        self.expires_at = self.created_at + timedelta(days=days) if rule == Retention.DAYS else None
        self.save(update_fields=["retention", "expires_at"])
