"""A file that somebody sends to be transcribed: from its first bytes until it is a session.

Any web process may work on it, one at a time: who takes it holds a lease, which runs out when that process dies.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Greatest
from django.utils import timezone

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech.models.session import TITLE_LENGTH, Session

LEASE = timedelta(seconds=15)
DELETED_AFTER = timedelta(days=1)
"""What nobody goes on sending, or what became of a file, is kept for so long."""
NAME_LENGTH = 255  # characters


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, owner: User) -> Self:
        return self.filter(owner=owner)

    def unfinished(self) -> Self:
        return self.exclude(state__in=[Upload.State.DONE, Upload.State.REFUSED])

    def pending(self) -> Self:
        """Those that somebody should work on, and nobody does."""
        free = Q(worker="") | Q(seen_at__lt=timezone.now() - LEASE)
        return self.filter(free, state=Upload.State.WAITING).order_by("created_at")

    def expired(self) -> Self:
        resting = [Upload.State.SENDING, Upload.State.CUT, Upload.State.DONE, Upload.State.REFUSED]
        return self.filter(state__in=resting, seen_at__lt=timezone.now() - DELETED_AFTER)


class Upload(models.Model):
    class State(models.TextChoices):
        SENDING = "sending"
        WAITING = "waiting"
        """It is all there; somebody works on it, or will."""
        CUT = "cut"
        """It is cut off; its owner decides whether to take what is there."""
        REFUSED = "refused"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=NAME_LENGTH)
    size = models.BigIntegerField()  # bytes, as announced
    received = models.BigIntegerField(default=0)  # bytes
    engine = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=20, blank=True)
    saves_audio = models.BooleanField(default=False)
    is_multichannel = models.BooleanField(default=False)
    """It is stereo, with another speaker on each side."""
    accepts_truncated = models.BooleanField(default=False)

    state = models.CharField(max_length=10, choices=State, default=State.SENDING)
    problem = models.JSONField(null=True)
    """Of one that was refused or is cut: what, why, action."""
    samples = models.BigIntegerField(null=True)
    """How long it is, once it was checked (24 kHz)."""
    processed = models.BigIntegerField(default=0)
    """Samples, in parts that are stored or will be."""
    session = models.ForeignKey("speech.Session", on_delete=models.SET_NULL, null=True, related_name="uploads")

    created_at = models.DateTimeField(default=timezone.now)
    worker = models.CharField(max_length=40, blank=True)
    """The process that works on it."""
    seen_at = models.DateTimeField(default=timezone.now)
    """The last sign of life of who sends it or works on it."""

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["state", "created_at"]),)

    def __str__(self) -> str:
        return self.name

    # --- While it is sent -------------------------------------------------------------------------------------------

    def set_received(self, offset: int, size: int) -> bool:
        """`size` bytes that follow the first `offset` are there. False if others were first, or it was cancelled."""
        mine = Upload.objects.filter(pk=self.pk, received=offset, state=self.State.SENDING)
        if not mine.update(received=offset + size, seen_at=timezone.now()):
            return False
        Upload.objects.filter(pk=self.pk, received=F("size")).update(state=self.State.WAITING)
        return True

    # --- While it is worked on: all of these are for the process that has it --------------------------------------

    @classmethod
    def claim(cls, worker: str, but: Iterable[uuid.UUID]) -> "Upload | None":
        """The one that has waited longest; it is `worker`'s from now on."""
        for upload in cls.objects.pending().exclude(pk__in=but).select_related("owner")[:10]:
            free = cls.objects.pending().order_by().filter(pk=upload.pk, worker=upload.worker)
            if free.update(worker=worker, seen_at=timezone.now()):
                upload.worker = worker
                return upload
        return None

    def heartbeat(self, processed: int) -> bool:
        """Still at work, with so many samples heard. False if it was cancelled, or taken by another process."""
        mine = Upload.objects.filter(pk=self.pk, worker=self.worker)
        # What has to be heard again does not count backwards.
        if not mine.update(seen_at=timezone.now(), processed=Greatest(F("processed"), processed)):
            return False
        if processed > self.processed:
            self.processed = processed
            Session.objects.filter(uploads=self.pk, ended_at=None).update(seen_at=timezone.now())
        return True

    def release(self) -> None:
        """Another process may take it at once."""
        self._if_current().update(worker="")

    def set_length(self, samples: int) -> None:
        self.samples = samples
        self._if_current().update(samples=samples)

    def resolve_session(self) -> Session | None:
        """The session that it becomes, claimed, and made when first asked for. None if the upload was cancelled
        meanwhile.

        Raises what `Session.claim_for` does.
        """
        with transaction.atomic():
            current = self._if_current().select_for_update().first()
            if current is None:
                return None
            if current.session:
                return Session.acquire(self.owner, current.session.pk)
            session = Session.acquire(self.owner, None, self.saves_audio)
            session.title = self.title
            session.save(update_fields=["title"])
            self._if_current().update(session=session)
            return session

    def fail(self, problem: dict[str, str], is_cut: bool = False) -> None:
        state = self.State.CUT if is_cut else self.State.REFUSED
        self._if_current().update(state=state, problem=problem, seen_at=timezone.now())

    def finish(self) -> None:
        self._if_current().update(state=self.State.DONE, seen_at=timezone.now())

    def _if_current(self) -> UploadQuerySet:
        return Upload.objects.filter(pk=self.pk, worker=self.worker, state=self.State.WAITING)

    # --- What its owner does ----------------------------------------------------------------------------------------

    def accept_truncated(self) -> None:
        cut = Upload.objects.filter(pk=self.pk, state=self.State.CUT)
        cut.update(state=self.State.WAITING, accepts_truncated=True, problem=None, worker="")

    def cancel(self) -> None:
        """Forget it. While it is worked on, what came of it so far goes as well."""
        with transaction.atomic():
            current = Upload.objects.select_for_update().select_related("session").filter(pk=self.pk).first()
            if current is None:
                return
            if current.session and current.state == self.State.WAITING:
                current.session.delete()
            current.delete()

    def delete_file(self) -> None:
        """Forget it, whatever it became."""
        self._if_current().delete()

    # --- What is told of it -----------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        stem = self.name.rpartition(".")[0] or self.name
        return stem[:TITLE_LENGTH]

    def to_dict(self) -> dict[str, Any]:
        """For its page: times in seconds."""
        stored = self.session.samples if self.session else 0
        return {
            "id": str(self.pk),
            "name": self.name,
            "size": self.size,
            "received": self.received,
            "state": self._stage,
            "length": self.samples / SAMPLE_RATE if self.samples else None,
            "transcribed": max(stored, self.processed) / SAMPLE_RATE,
            "session": self.session.get_absolute_url() if self.session and stored else None,
            "problem": self.problem,
        }

    @property
    def _stage(self) -> str:
        if self.state != self.State.WAITING:
            return self.state
        if not self.worker:
            return "waiting"
        if not self.samples:
            return "checking"
        return "transcribing" if self.session and self.session.started_at else "waiting"
