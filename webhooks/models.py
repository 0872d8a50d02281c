"""Webhooks and their deliveries.

A delivery is stored in the transaction of its event, so every committed event is delivered and no other. The sending
process leases it (`lease_expires_at`); if that process dies, another one sends it.
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

MAX_URL_LENGTH = 500
MAX_WEBHOOKS_PER_USER = 20
LEASE = timedelta(seconds=60)
"""Time for which a process owns a delivery; longer than an attempt can take."""
RETRY_DELAYS = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
"""Delays after failed attempts. After one more failure the delivery fails."""
DELETED_AFTER = timedelta(days=30)
SECRET_PREFIX = "whsec_"  # noqa: S105


class Event(models.TextChoices):
    SESSION_FINISHED = "session.finished", "Session finished"
    USER_PENDING = "user.pending", "Account awaiting approval (administrators)"


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(24)).decode()


class TooManyWebhooks(Exception):
    """The account has the maximum number of webhooks."""


class Webhook(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=MAX_URL_LENGTH)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100, default=new_secret)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("created_at", "id")

    def __str__(self) -> str:
        return self.url

    @classmethod
    def create(cls, owner: User, **fields: Any) -> "Webhook":
        """Raises `TooManyWebhooks`."""
        with transaction.atomic():
            User.objects.select_for_update(no_key=True).get(pk=owner.pk)  # count concurrent creations one by one
            if cls.objects.filter(owner=owner).count() >= MAX_WEBHOOKS_PER_USER:
                raise TooManyWebhooks
            return cls.objects.create(owner=owner, **fields)

    def enqueue(self, event: str, data: dict[str, Any]) -> "Delivery":
        return Delivery.objects.create(webhook=self, event=event, data=data)


def enqueue(owners: Sequence[User] | models.QuerySet[User], event: Event, data: dict[str, Any]) -> None:
    """Store a delivery for each active webhook of these users that is subscribed to the event."""
    for webhook in Webhook.objects.filter(owner__in=owners, is_active=True):
        if event in webhook.events:
            webhook.enqueue(event, data)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def pending(self) -> Self:
        return self.filter(delivered_at=None, failed_at=None)

    def due(self) -> Self:
        """Deliveries to send now: each webhook's oldest pending one, so that they arrive in order."""
        now = timezone.now()
        earlier = Delivery.objects.pending().filter(webhook=OuterRef("webhook"), number__lt=OuterRef("number"))
        unleased = Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
        return self.pending().filter(unleased, ~Exists(earlier), next_at__lte=now, webhook__is_active=True)


class Delivery(models.Model):
    number = models.BigAutoField(primary_key=True)
    """The order of the events."""
    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """The same in every attempt, so that receivers can detect duplicates."""
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
    """The result of the last attempt."""

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes = (models.Index(fields=["delivered_at", "failed_at", "next_at"]),)

    def __str__(self) -> str:
        return f"{self.event} {self.id}"

    @property
    def payload(self) -> dict[str, Any]:
        return {"type": self.event, "timestamp": self.occurred_at.isoformat(), "data": self.data}

    @classmethod
    def claim(cls, limit: int) -> list["Delivery"]:
        """Lease up to `limit` due deliveries for the caller."""
        claimed = []
        for delivery in cls.objects.due().select_related("webhook")[:limit]:
            unchanged = cls.objects.filter(
                pk=delivery.pk, lease_expires_at=delivery.lease_expires_at, attempts=delivery.attempts
            )
            if unchanged.update(lease_expires_at=timezone.now() + LEASE):
                claimed.append(delivery)
        return claimed

    def record_success(self, response: str) -> None:
        self._record(response, delivered_at=timezone.now())

    def record_failure(self, response: str) -> None:
        if self.attempts < len(RETRY_DELAYS):
            self._record(response, next_at=timezone.now() + RETRY_DELAYS[self.attempts])
        else:
            self._record(response, failed_at=timezone.now())

    def _record(self, response: str, **changes: Any) -> None:
        with transaction.atomic():
            changes = {
                **changes,
                "last_response": response[:200],
                "attempts": self.attempts + 1,
                "lease_expires_at": None,
            }
            Delivery.objects.filter(pk=self.pk).update(**changes)
            Delivery.objects.filter(webhook=self.webhook_id, delivered_at__lt=timezone.now() - DELETED_AFTER).delete()
