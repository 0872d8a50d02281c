"""An upload: a recording on its way to becoming a session.

Any web process can transcribe it, one at a time: the process that claims it holds a lease, which expires if the process
dies.
"""

import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts.models import User
from inference.messages import SAMPLE_RATE
from speech.models.session import TITLE_LENGTH, Session

LEASE = timedelta(seconds=15)
DELETED_AFTER = timedelta(days=1)
"""Time without activity after which an unfinished, truncated, failed or done upload is deleted."""
RESERVED_FOR = timedelta(minutes=15)
"""Time without a part for which an upload reserves the disk space of its rest."""
ABANDONED_AFTER = timedelta(minutes=1)
"""Time without a part after which another client can continue an upload. A page gives up a part after a minute."""
NAME_LENGTH = 255  # characters
NOTE_LENGTH = 500  # characters
ID_LENGTH = 100  # characters


class UploadQuerySet(models.QuerySet["Upload"]):
    def of(self, owner: User) -> Self:
        return self.filter(owner=owner)

    def unfinished(self) -> Self:
        return self.exclude(state__in=[Upload.State.DONE, Upload.State.FAILED])

    def announced_bytes(self) -> int:
        """Bytes of the files, as announced."""
        total: int | None = self.aggregate(total=Sum("size"))["total"]
        return total or 0

    def expected_bytes(self) -> int:
        """Bytes that are still to be sent; without uploads that have paused for long, which take space when they go
        on."""
        sending = self.filter(state=Upload.State.UPLOADING, seen_at__gt=timezone.now() - RESERVED_FOR)
        total: int | None = sending.aggregate(total=Sum(F("size") - F("received")))["total"]
        return total or 0

    def resumable(self, size: int, fingerprint: str, client: str) -> Self:
        """Incomplete uploads of the same recording that no other client is sending; the client's own ones first."""
        is_own = Q(client=client)
        same = self.filter(state=Upload.State.UPLOADING, size=size, fingerprint=fingerprint)
        free = same.filter(is_own | Q(seen_at__lt=timezone.now() - ABANDONED_AFTER))
        return free.annotate(is_own=is_own).order_by("-is_own", "-created_at")

    def pending(self) -> Self:
        """Complete uploads that no process is working on."""
        unclaimed = Q(worker="") | Q(seen_at__lt=timezone.now() - LEASE)
        return self.filter(unclaimed, state=Upload.State.WAITING).order_by("created_at")

    def fair_order(self) -> Self:
        """Those first whose accounts have the fewest uploads being worked on; then by age."""
        in_work = Upload.objects.filter(state=Upload.State.WAITING, seen_at__gt=timezone.now() - LEASE)
        counts = in_work.exclude(worker="").order_by().values("owner").annotate(count=Count("pk")).values("count")
        of_owner = Subquery(counts.filter(owner=OuterRef("owner")))
        return self.annotate(in_work=Coalesce(of_owner, 0)).order_by("in_work", "created_at")

    def expired(self) -> Self:
        idle = [Upload.State.UPLOADING, Upload.State.TRUNCATED, Upload.State.DONE, Upload.State.FAILED]
        return self.filter(state__in=idle, seen_at__lt=timezone.now() - DELETED_AFTER)


class Upload(models.Model):
    class State(models.TextChoices):
        UPLOADING = "uploading"
        WAITING = "waiting"
        """Complete; a process is working on it, or will."""
        TRUNCATED = "truncated"
        """The file ends too soon; its owner decides whether to transcribe what is there."""
        FAILED = "failed"
        DONE = "done"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=NAME_LENGTH)
    size = models.BigIntegerField()  # bytes, as announced
    fingerprint = models.CharField(max_length=ID_LENGTH, blank=True)
    """Of the content, computed by the client; empty: the upload is not resumed."""
    client = models.CharField(max_length=ID_LENGTH, blank=True)
    """The page or program that sends it."""
    sha256 = models.CharField(max_length=64, blank=True)
    """Of the whole content, in hexadecimal, sent with the last part."""
    received = models.BigIntegerField(default=0)  # bytes
    engine = models.CharField(max_length=50, blank=True)
    language = models.CharField(max_length=20, blank=True)
    saves_audio = models.BooleanField(default=False)
    is_multichannel = models.BooleanField(default=False)
    """One speaker per stereo channel."""
    accepts_truncated = models.BooleanField(default=False)

    state = models.CharField(max_length=10, choices=State, default=State.UPLOADING)
    problem = models.JSONField(null=True)
    """Error of a failed or truncated upload: `what`, `why`, `action`."""
    samples = models.BigIntegerField(null=True)
    """Duration in samples (24 kHz), once the file is checked."""
    note = models.CharField(max_length=NOTE_LENGTH, blank=True)
    """What the check found that its owner should know: `speech.batch.decode.Properties`."""
    processed = models.BigIntegerField(default=0)
    """Samples transcribed so far, stored or not."""
    session = models.ForeignKey("speech.Session", on_delete=models.SET_NULL, null=True, related_name="uploads")

    created_at = models.DateTimeField(default=timezone.now)
    worker = models.CharField(max_length=40, blank=True)
    """Process that is working on it."""
    seen_at = models.DateTimeField(default=timezone.now)
    """Last activity of the client that uploads it or the process that works on it."""

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        indexes = (models.Index(fields=["state", "created_at"]),)

    def __str__(self) -> str:
        return self.name

    # --- Receiving the file -----------------------------------------------------------------------------------------

    def resume(self, **options: Any) -> bool:
        """Continue it with the options of the latest request. False if another client has continued it, or it is
        complete."""
        unchanged = Upload.objects.filter(pk=self.pk, state=self.State.UPLOADING, client=self.client)
        if not unchanged.update(**options, seen_at=timezone.now()):
            return False
        self.refresh_from_db()
        return True

    def set_received(self, offset: int, size: int, sha256: str = "") -> bool:
        """Record `size` bytes received after the first `offset`, and the `sha256` of the file if they are its last.
        False if others came first, or it was canceled."""
        expecting = Upload.objects.filter(pk=self.pk, received=offset, state=self.State.UPLOADING)
        if not expecting.update(received=offset + size, sha256=sha256, seen_at=timezone.now()):
            return False
        Upload.objects.filter(pk=self.pk, received=F("size")).update(state=self.State.WAITING)
        return True

    # --- Transcribing it: for the process that claimed it ---------------------------------------------------------

    @classmethod
    def claim(cls, worker: str, exclude: Iterable[uuid.UUID], exclude_owners: Iterable[int] = ()) -> "Upload | None":
        """Claim an upload for `worker`: of the account with the fewest being worked on, the longest-waiting one."""
        pending = cls.objects.pending().exclude(pk__in=exclude).exclude(owner__in=exclude_owners)
        for upload in pending.fair_order().select_related("owner")[:10]:
            unclaimed = cls.objects.pending().order_by().filter(pk=upload.pk, worker=upload.worker)
            if unclaimed.update(worker=worker, seen_at=timezone.now()):
                upload.worker = worker
                return upload
        return None

    def heartbeat(self, processed: int) -> bool:
        """Renew the lease and record the progress. False if it was canceled, or claimed by another process."""
        claimed = Upload.objects.filter(pk=self.pk, worker=self.worker)
        # Progress never decreases, even if audio has to be transcribed again.
        if not claimed.update(seen_at=timezone.now(), processed=Greatest(F("processed"), processed)):
            return False
        if processed > self.processed:
            self.processed = processed
            Session.objects.filter(uploads=self.pk, ended_at=None).update(seen_at=timezone.now())
        return True

    def release(self) -> None:
        """Let another process claim it immediately."""
        self._if_current().update(worker="")

    def set_checked(self, samples: int, note: str) -> None:
        """Record its duration in samples (24 kHz), and what is to be noted about it."""
        self.samples = samples
        self._if_current().update(samples=samples, note=note)

    def resolve_session(self) -> Session | None:
        """Acquire the session that the upload becomes, created on the first call. None if the upload was canceled.

        Raises as `Session.acquire` does.
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

    def fail(self, problem: dict[str, str], is_truncated: bool = False) -> None:
        state = self.State.TRUNCATED if is_truncated else self.State.FAILED
        self._if_current().update(state=state, problem=problem, seen_at=timezone.now())

    def finish(self) -> None:
        self._if_current().update(state=self.State.DONE, seen_at=timezone.now())

    def _if_current(self) -> UploadQuerySet:
        return Upload.objects.filter(pk=self.pk, worker=self.worker, state=self.State.WAITING)

    # --- The owner's actions ----------------------------------------------------------------------------------------

    def accept_truncated(self) -> None:
        truncated = Upload.objects.filter(pk=self.pk, state=self.State.TRUNCATED)
        truncated.update(state=self.State.WAITING, accepts_truncated=True, problem=None, worker="")

    def cancel(self) -> None:
        """Delete the upload, and its session too while it is incomplete."""
        with transaction.atomic():
            current = Upload.objects.select_for_update().select_related("session").filter(pk=self.pk).first()
            if current is None:
                return
            if current.session and current.state == self.State.WAITING:
                current.session.delete()
            current.delete()

    def discard(self) -> None:
        """Delete the upload only; its session stays as it is."""
        self._if_current().delete()

    @property
    def title(self) -> str:
        stem = self.name.rpartition(".")[0] or self.name
        return stem[:TITLE_LENGTH]

    def to_dict(self) -> dict[str, Any]:
        """Its state for the API; times in seconds."""
        stored = self.session.samples if self.session else 0
        return {
            "id": str(self.pk),
            "name": self.name,
            "size": self.size,
            "received": self.received,
            "client": self.client,
            "is_sending": self._is_sending,
            "state": self._stage,
            "duration": self.samples / SAMPLE_RATE if self.samples else None,
            "transcribed": max(stored, self.processed) / SAMPLE_RATE,
            "session": str(self.session_id) if stored else None,
            "note": self.note,
            "problem": self.problem,
        }

    @property
    def _is_sending(self) -> bool:
        return self.state == self.State.UPLOADING and self.seen_at > timezone.now() - ABANDONED_AFTER

    @property
    def _stage(self) -> str:
        if self.state != self.State.WAITING:
            return self.state
        if not self.worker:
            return "waiting"
        if not self.samples:
            return "checking"
        return "transcribing" if self.session and self.session.started_at else "waiting"
