"""Queries for sessions, and operations on many at once."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import User
from speech.models.usage import Usage

LIVE_TIMEOUT = timedelta(seconds=30)
"""Time without an update from its stream after which a session no longer counts as live; its process may have died."""


class Retention(models.TextChoices):
    """How long a session is kept."""

    SITE = "site", "Site default"
    KEEP = "keep", "Until I delete it"
    DAYS = "days", "For a set number of days"


class SessionQuerySet(models.QuerySet[Any]):
    def of(self, owner: User) -> Self:
        """The owner's sessions, without deleted ones that can still be restored."""
        return self.filter(owner=owner, deleted_at=None)

    def started(self) -> Self:
        """Sessions whose stream got a slot; the others are still waiting for one, or never got one."""
        return self.filter(started_at__isnull=False)

    def live(self) -> Self:
        return self.filter(ended_at=None, seen_at__gt=timezone.now() - LIVE_TIMEOUT)

    def live_by_users(self) -> Self:
        """Live sessions without those of uploads, which don't count toward a user's limit of streams."""
        return self.live().exclude(uploads__state="waiting")

    def ended(self) -> Self:
        return self.exclude(ended_at=None, seen_at__gt=timezone.now() - LIVE_TIMEOUT)

    def usage(self) -> Usage:
        sums = self.aggregate(samples=Sum("samples", default=0), audio_bytes=Sum("audio_bytes", default=0))
        return Usage(**sums)

    # --- Deleting and restoring -------------------------------------------------------------------------------------

    def soft_delete(self) -> tuple[datetime, int]:
        """Move the ended sessions to the trash. Returns the time of deletion, which identifies them, and a count."""
        now = timezone.now()
        return now, self.ended().filter(deleted_at=None).update(deleted_at=now)

    def deleted_at_moment(self, owner: User, moment: datetime) -> Self:
        return self.filter(owner=owner, deleted_at=moment)

    def restore(self) -> int:
        return self.update(deleted_at=None)

    # --- Retention ------------------------------------------------------------------------------------------------

    def expired(self) -> Self:
        """Sessions due for permanent deletion: by their own rule or the site's, or deleted `DELETED_DAYS` ago."""
        now = timezone.now()
        due = Q(deleted_at__lte=now - timedelta(days=settings.DELETED_DAYS)) | Q(expires_at__lte=now)
        if settings.RETENTION_DAYS:
            old = Q(created_at__lte=now - timedelta(days=settings.RETENTION_DAYS))
            due |= old & Q(retention=Retention.SITE)
        return self.ended().filter(due)

    def with_expired_audio(self) -> Self:
        """Sessions whose audio has expired and whose transcript stays."""
        if not settings.AUDIO_RETENTION_DAYS:
            return self.none()
        old = timezone.now() - timedelta(days=settings.AUDIO_RETENTION_DAYS)
        return self.ended().filter(saves_audio=True, created_at__lte=old, retention=Retention.SITE)
