"""Share links: anyone with the link can read one session, without an account."""

import secrets
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone


def _random_token() -> str:
    return secrets.token_urlsafe(32)


class ShareQuerySet(models.QuerySet["Share"]):
    def open(self) -> Self:
        """Links that work: neither expired nor revoked, to a session that is not deleted and whose owner is still
        approved."""
        return self.filter(
            Q(expires_at__gt=timezone.now()),
            revoked_at=None,
            session__deleted_at=None,
            session__owner__status="approved",
            session__owner__is_active=True,
        )


class Share(models.Model):
    session = models.ForeignKey("speech.Session", on_delete=models.CASCADE, related_name="shares")
    token = models.CharField(max_length=64, unique=True, default=_random_token, editable=False)
    has_audio = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ShareQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"Share link for {self.session}"

    def get_absolute_url(self) -> str:
        return reverse("shared", args=[self.token])

    @classmethod
    def create(cls, session: models.Model, days: int, has_audio: bool) -> "Share":
        """Create a link that expires after `days`."""
        expires_at = timezone.now() + timedelta(days=days)
        return cls.objects.create(session=session, expires_at=expires_at, has_audio=has_audio)

    def revoke(self) -> None:
        self.revoked_at = timezone.now()
        self.save(update_fields=["revoked_at"])
