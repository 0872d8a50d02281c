"""A webhook, and what was, or is still to be, delivered to it.

A delivery is written in the transaction of what it tells, so nothing that happened goes untold, and nothing is told
that did not happen. The sending process leases it (`lease_expires_at`); should that process die, another sends it.
"""

import base64
import secrets
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from accounts.models import User

URL_LENGTH = 500
WEBHOOKS_PER_USER = 20
LEASE = timedelta(seconds=60)
"""Longer than an attempt may take."""
RETRIES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
"""After each failed attempt; after the last the delivery is given up."""
DELETED_AFTER = timedelta(days=30)
SECRET_PREFIX = "whsec_"  # noqa: S105


class Event(models.TextChoices):
    SESSION_FINISHED = "session.finished", "A session of yours is over"
    USER_PENDING = "user.pending", "Somebody signed up and waits (administrators)"


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


class Webhook(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=URL_LENGTH)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100, default=new_secret)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.url

    def enqueue(self, event: str, data: dict[str, Any]) -> "Delivery":
        return Delivery.objects.create(webhook=self, event=event, data=data)


def enqueue(owners: Sequence[User] | models.QuerySet[User], event: Event, data: dict[str, Any]) -> None:
    """Every active webhook of these that wants to hear of it."""
    for webhook in Webhook.objects.filter(owner__in=owners, is_active=True):
        if event in webhook.events:
            webhook.enqueue(event, data)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> Self:
        return self.filter(delivered_at=None, failed_at=None)

    def due(self) -> Self:
        """Those to be sent now: of each webhook the oldest that waits, so that they arrive in order."""
        now = timezone.now()
        earlier = Delivery.objects.pending().filter(webhook=OuterRef("webhook"), number__lt=OuterRef("number"))
        free = Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
        return self.pending().filter(free, ~Exists(earlier), next_at__lte=now, webhook__is_active=True)


class Delivery(models.Model):
    number = models.BigAutoField(primary_key=True)
    """The order in which they happened."""
    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """The same in every attempt, so that its receiver knows what it has already."""
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    data = models.JSONField()
    occurred_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    lease_expires_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    last_response = models.CharField(max_length=200, blank=True)
    """What the last attempt met."""

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes = (models.Index(fields=["delivered_at", "failed_at", "next_at"]),)

    def __str__(self) -> str:
        return f"{self.event} {self.id}"

    @property
    def payload(self) -> dict[str, Any]:
        return {"type": self.event, "timestamp": self.occurred_at.isoformat(), "data": self.data}

    # --- Verbs, called by whoever sends -----------------------------------------------------------------------------

    @classmethod
    def claim(cls, limit: int) -> list["Delivery"]:
        """Some that are due, held for the caller alone."""
        taken = []
        for delivery in cls.objects.due().select_related("webhook")[:limit]:
            free = cls.objects.filter(
                pk=delivery.pk, lease_expires_at=delivery.lease_expires_at, attempts=delivery.attempts
            )
            if free.update(lease_expires_at=timezone.now() + LEASE):
                taken.append(delivery)
        return taken

    def record_success(self, answer: str) -> None:
        self._record(answer, delivered_at=timezone.now())

    def record_failure(self, answer: str) -> None:
        if self.attempts < len(RETRIES):
            self._record(answer, next_at=timezone.now() + RETRIES[self.attempts])
        else:
            self._record(answer, failed_at=timezone.now())

    def _record(self, answer: str, **changes: Any) -> None:
        with transaction.atomic():
            changes = {
                **changes,
                "last_response": answer[:200],
                "attempts": self.attempts + 1,
                "lease_expires_at": None,
            }
            Delivery.objects.filter(pk=self.pk).update(**changes)
            Delivery.objects.filter(webhook=self.webhook_id, delivered_at__lt=timezone.now() - DELETED_AFTER).delete()
