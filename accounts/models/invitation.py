"""Invitation links: each lets one user sign up and be approved immediately.

Like a token, the link is shown once and only a digest of its secret is stored.
"""

import secrets
from datetime import timedelta
from hashlib import sha256
from typing import Self

from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.models.user import User

SECRET_LENGTH = 43


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def open(self) -> Self:
        """Unused, unexpired, unrevoked invitations whose creators are still administrators."""
        return self.filter(
            used_at=None, revoked_at=None, expires_at__gt=timezone.now(), created_by__in=User.objects.admins()
        )

    def with_secret(self, secret: str) -> Self:
        """The invitation with this secret, if any."""
        return self.filter(digest=_digest(secret)) if len(secret) == SECRET_LENGTH else self.none()


class Invitation(models.Model):
    digest = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=100, blank=True)
    """The recipient, for the administrator to recognize."""
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return self.note or f"Invitation {self.pk}"

    @classmethod
    def create(cls, by: User, lifetime: timedelta, note: str = "") -> tuple["Invitation", str]:
        """Create an invitation. Returns it and its secret, which cannot be recovered."""
        secret = secrets.token_urlsafe(32)
        invitation = cls.objects.create(
            digest=_digest(secret), note=note, created_by=by, expires_at=timezone.now() + lifetime
        )
        return invitation, secret

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.revoked_at is None and self.expires_at > timezone.now()

    def redeem(self, user: User) -> bool:
        """Approve the new account in the creator's name. Returns False if it was used or no longer works."""
        if not Invitation.objects.open().filter(pk=self.pk).update(used_at=timezone.now(), used_by=user):
            return False
        user.approve(self.created_by, f"Invited: {self.note}" if self.note else "Invited.")
        return True

    def revoke(self) -> None:
        Invitation.objects.filter(pk=self.pk, used_at=None, revoked_at=None).update(revoked_at=timezone.now())


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
