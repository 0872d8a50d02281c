"""A session: the saved record of one stream, or of several streams that continued each other."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max, Q
from django.dispatch import Signal
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from inference.messages import SAMPLE_RATE, UNKNOWN_LANGUAGE
from speech import disk_space
from speech.errors import IsConversation, NotApproved, QuotaReached, SessionNotFound, TooManyStreams
from speech.events import Endpoint
from speech.events import Word as SpokenWord
from speech.models.conversation import ASSISTANT
from speech.models.ledger import Counts, Ledger
from speech.models.session_set import LIVE_TIMEOUT, Retention, SessionQuerySet
from speech.models.signals import session_finished
from speech.models.tag import Tag
from speech.models.words import NextNumbers, Segment, Word, WordQuerySet
from speech.text.word_spacing import first_words, join_words

audio_deleted = Signal()
"""Sent when a session's audio is deleted and its transcript stays: sender=Session, session."""

TITLE_WORDS = 8
TITLE_LENGTH = 200  # characters
TIME_ERROR = 0.005
"""Seconds; the rounding error of word times."""
FILE_NAME_BYTES = 80
OPENING_WORDS = 50
OPENING_LENGTH = 300  # characters


class Session(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sessions")
    title = models.CharField(max_length=TITLE_LENGTH, blank=True)
    opening = models.CharField(max_length=OPENING_LENGTH, blank=True)
    """First words of the transcript, so that lists of sessions need not query the words."""
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
    """Fields of `Counts`."""
    epoch = models.PositiveIntegerField(default=0)
    """Fencing token: the number of streams so far that continued this session. Only the newest can write."""

    saves_audio = models.BooleanField(default=False)
    """Whether the user chose to save the audio."""
    audio_bytes = models.BigIntegerField(default=0)
    """Size of the recording once it is compressed."""
    retention = models.CharField(max_length=10, choices=Retention, default=Retention.SITE)
    expires_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    """When its owner deleted it; it can be restored for `DELETED_DAYS`."""

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
        title = first_words(self.opening, TITLE_WORDS)
        if not title:
            return "No speech"
        return title[:1].upper() + title[1:] + ("…" if title != self.opening else "")

    @property
    def first_words(self) -> str:
        return self.opening

    @property
    def local_start(self) -> datetime:
        """When it began, in its owner's time zone."""
        return (self.started_at or self.created_at).astimezone(self.owner.zone)

    @property
    def file_name(self) -> str:
        """File name without an extension, valid on every file system."""
        name = slugify(f"{self.local_start:%Y-%m-%d} {self.display_title}", allow_unicode=True)
        return name.encode()[:FILE_NAME_BYTES].decode(errors="ignore")

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / SAMPLE_RATE

    @property
    def retention_days(self) -> int | None:
        """Days from its creation until it expires, if the owner set them."""
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
    def is_conversation(self) -> bool:
        return hasattr(self, "conversation")

    @property
    def is_live(self) -> bool:
        return self.ended_at is None and self.seen_at > timezone.now() - LIVE_TIMEOUT

    # --- Streams. Synchronous: they call these in the database thread ---------------------------------------------

    @classmethod
    def acquire(
        cls, owner: User, resume: uuid.UUID | None, saves_audio: bool = False, names_speakers: bool = False
    ) -> "Session":
        """Return a new session, or the user's own interrupted one, for a stream to write into. The first stream decides
        whether audio is saved. `names_speakers`: whether the stream's segments have speakers, as a conversation needs.

        Raises `TooManyStreams`, `QuotaReached`, `NotApproved`, `SessionNotFound`, or `IsConversation`.
        """
        with transaction.atomic():
            # Lock the user's row, so that concurrent connections are counted one after another; but not its key, which
            # PostgreSQL checks when the previous stream commits.
            if not User.objects.select_for_update(no_key=True).get(pk=owner.pk).is_approved:
                raise NotApproved
            others = cls.objects.of(owner).live_by_users().exclude(pk=resume or uuid.UUID(int=0))
            if others.count() >= settings.STREAMS_PER_USER:
                raise TooManyStreams(why=f"The limit is {settings.STREAMS_PER_USER} per account.")
            if resume is None:
                usage = cls.objects.of(owner).usage()
                if usage.sessions.is_reached:
                    raise QuotaReached(why=f"You're using {usage.sessions}, the maximum on this site.")
                saves_audio = saves_audio and settings.RECORD_AUDIO and not usage.audio.is_reached
                saves_audio = saves_audio and disk_space.available(settings.AUDIO_DIR) > 0
                return cls.objects.create(owner=owner, saves_audio=saves_audio)
            # Lock before discarding anything: commits of the previous stream come before the new epoch, or not at
            # all.
            session = cls.objects.of(owner).select_for_update(no_key=True).filter(pk=resume).first()
            if session is None:
                raise SessionNotFound
            if session.is_conversation and not names_speakers:
                raise IsConversation
            session._discard_pending()
            session.epoch += 1
            session.ended_at, session.seen_at = None, timezone.now()
            session.save(update_fields=["epoch", "ended_at", "seen_at"])
            return session

    def _discard_pending(self) -> None:
        """Delete what the previous stream transcribed beyond `samples`: the client resends that audio."""
        final_until = self.samples / SAMPLE_RATE - TIME_ERROR
        self.corrections.after(final_until + 2 * TIME_ERROR).delete()
        inserted = self.segments.original().filter(is_inserted=True).values("index")
        self.words.filter(start__gte=final_until).exclude(segment_index__in=inserted).delete()
        self.segments.filter(start__gte=final_until, is_inserted=False).delete()

    def start(self, engine: str, language: str) -> NextNumbers:
        """Record the engine of the stream's slot."""
        is_detected = language == UNKNOWN_LANGUAGE and self.language != ""
        self.engine, self.language = engine, self.language if is_detected else language
        self.started_at = self.started_at or timezone.now()
        self._if_current().update(
            engine=engine, language=self.language, started_at=self.started_at, seen_at=timezone.now()
        )
        return self._next_numbers()

    def _next_numbers(self) -> NextNumbers:
        """They follow the highest ones: words that were discarded may leave gaps before inserted ones."""
        segments = self.segments.original()
        last_word = self.words.aggregate(last=Max("index"))["last"]
        last_segment = segments.aggregate(last=Max("index"))["last"]
        without_end = self.words.exclude(segment_index__in=segments.values("index"))
        open_segment = without_end.aggregate(last=Max("segment_index"))["last"]
        last_used = max((number for number in (last_segment, open_segment) if number is not None), default=-1)
        return NextNumbers(0 if last_word is None else last_word + 1, last_used + 1, open_segment)

    def commit(self, samples: int, words: Sequence[SpokenWord], endpoints: Sequence[Endpoint], counts: Counts) -> bool:
        """Store the words up to sample `samples`. False if another stream has taken over the session.

        Repeating a commit changes nothing: words and segments are keyed by their index in the session.
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
            opening = self.opening
            if words and self._needs_opening(words[0]):
                texts = self._users_words().values_list("text", flat=True)[:OPENING_WORDS]
                opening = join_words(texts)[:OPENING_LENGTH]
                self._if_current().update(opening=opening)
        self.opening = opening
        return True

    def _needs_opening(self, word: SpokenWord) -> bool:
        """Whether words from `word` on may belong to the opening. Replies don't, so it may come late."""
        if len(self.opening) >= OPENING_LENGTH or first_words(self.opening, OPENING_WORDS - 1) != self.opening:
            return False
        return word.index < OPENING_WORDS or self.segments.filter(is_inserted=True).exists()

    def _users_words(self) -> WordQuerySet:
        """All words but those of replies."""
        replies = self.segments.original().filter(is_inserted=True, speaker=ASSISTANT)
        return self.words.exclude(segment_index__in=replies.values("index"))

    def _store_segments(self, endpoints: Sequence[Endpoint]) -> None:
        texts: defaultdict[int, list[str]] = defaultdict(list)
        indexes = [endpoint.segment for endpoint in endpoints]
        for index, text in self.words.filter(segment_index__in=indexes).values_list("segment_index", "text"):
            texts[index].append(text)
        Segment.objects.bulk_create(
            (
                Segment(
                    session=self,
                    index=e.segment,
                    start=e.start,
                    end=e.end,
                    text=join_words(texts[e.segment]),
                    speaker=e.speaker,
                    is_inserted=e.is_inserted,
                )
                for e in endpoints
            ),
            ignore_conflicts=True,
        )

    def _set_language(self, endpoints: Sequence[Endpoint]) -> None:
        """Set the language to the most frequent one of the first commit; later ones may be loanwords."""
        detected = Counter(e.language for e in endpoints if e.language)
        if self.language == UNKNOWN_LANGUAGE and detected:
            self.language = detected.most_common(1)[0][0]
            self._if_current().update(language=self.language)

    def end(self) -> None:
        """End the session with its stream; delete it if nothing was transcribed. Words may be stored before any audio
        is final: the last ones of a client that left."""
        with transaction.atomic():
            current = self._if_current()
            is_empty = Q(started_at=None) if self._users_words().exists() else Q(started_at=None) | Q(samples=0)
            if current.filter(is_empty).delete()[0]:
                return
            if current.update(ended_at=timezone.now()):
                session_finished.send(Session, session=current.get())

    def _if_current(self) -> SessionQuerySet:
        return Session.objects.filter(pk=self.pk, epoch=self.epoch, deleted_at=None)

    # --- The owner's actions ----------------------------------------------------------------------------------------

    def update_opening(self) -> None:
        """Set the opening again after a correction."""
        spoken = self.segments.current().exclude(is_inserted=True, speaker=ASSISTANT)
        texts = spoken.values_list("text", flat=True)[:OPENING_WORDS]
        self.opening = first_words(join_words(texts), OPENING_WORDS)[:OPENING_LENGTH]
        self.save(update_fields=["opening"])

    def tag_as(self, names: Iterable[str]) -> None:
        """Set the tags to exactly these."""
        self.tags.set(Tag.get_or_create_named(self.owner, names))

    def delete_audio(self) -> None:
        """Delete the recording and keep the transcript."""
        self.saves_audio, self.audio_bytes = False, 0
        self.save(update_fields=["saves_audio", "audio_bytes"])
        audio_deleted.send(Session, session=self)

    def set_retention(self, rule: str, days: int = 0) -> None:
        """Set how long the session is kept; `days` from its creation for `Retention.DAYS`."""
        self.retention = rule
        self.expires_at = self.created_at + timedelta(days=days) if rule == Retention.DAYS else None
        self.save(update_fields=["retention", "expires_at"])
