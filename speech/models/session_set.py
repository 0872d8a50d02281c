"""Sets of sessions: whose, which, and what is done to many at once."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import User
from speech.models.usage import Usage

LIVE_TIMEOUT = timedelta(seconds=30)
"""A session whose stream gave no sign for so long is not live any more, whatever became of its process."""


class Retention(models.TextChoices):
    """Until when a session is kept."""

    SITE = "site", "as long as this site keeps them"
    KEEP = "keep", "until I delete it"
    DAYS = "days", "for some days"


class SessionQuerySet(models.QuerySet[Any]):
    def of(self, owner: User) -> Self:
        """All that the owner has; not those that were deleted, which can still be put back for a while."""
        return self.filter(owner=owner, deleted_at=None)

    def begun(self) -> Self:
        """Those in which something could be said; the others still wait for a slot, or never got one."""
        return self.filter(started_at__isnull=False)

    def live(self) -> Self:
        return self.filter(ended_at=None, seen_at__gt=timezone.now() - LIVE_TIMEOUT)

    def live_by_users(self) -> Self:
        """Live ones, but for what a file becomes, which takes nobody's place."""
        return self.live().exclude(uploads__state="waiting")

    def ended(self) -> Self:
        return self.exclude(ended_at=None, seen_at__gt=timezone.now() - LIVE_TIMEOUT)

    def usage(self) -> Usage:
        all_of_them = self.aggregate(samples=Sum("samples", default=0), audio_bytes=Sum("audio_bytes", default=0))
        return Usage(**all_of_them)

    # --- Deleting, and putting back ---------------------------------------------------------------------------------

    def soft_delete(self) -> tuple[datetime, int]:
        """Delete those that are over, in such a way that they can be put back. Returns by which moment to name them,
        and how many they are."""
        now = timezone.now()
        return now, self.ended().filter(deleted_at=None).update(deleted_at=now)

    def deleted_at_moment(self, owner: User, moment: datetime) -> Self:
        return self.filter(owner=owner, deleted_at=moment)

    def restore(self) -> int:
        return self.update(deleted_at=None)

    # --- Retention ------------------------------------------------------------------------------------------------

    def expired(self) -> Self:
        """Those whose time is over: by their own rule or the site's, or because they were deleted long enough ago."""
        now = timezone.now()
        due = Q(deleted_at__lte=now - timedelta(days=settings.DELETED_DAYS)) | Q(expires_at__lte=now)
        if settings.RETENTION_DAYS:
            old = Q(created_at__lte=now - timedelta(days=settings.RETENTION_DAYS))
            due |= old & Q(retention=Retention.SITE)
        return self.ended().filter(due)

    def with_expired_audio(self) -> Self:
        """Those whose words stay, but whose sound's time is over."""
        if not settings.AUDIO_RETENTION_DAYS:
            return self.none()
        old = timezone.now() - timedelta(days=settings.AUDIO_RETENTION_DAYS)
        return self.ended().filter(saves_audio=True, created_at__lte=old, retention=Retention.SITE)
