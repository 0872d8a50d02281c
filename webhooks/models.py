"""A webhook, and what was, or is still to be, delivered to it.

A delivery is written in the transaction of what it tells, so nothing that happened goes untold, and nothing is told
that did not happen. Whoever sends it holds it for a moment (`held_until`); should that process die, another sends it.
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
HELD_FOR = timedelta(seconds=60)
"""Longer than an attempt may take."""
RETRIES = tuple(timedelta(seconds=s) for s in (5, 30, 120, 600, 3_600, 4 * 3_600, 12 * 3_600))
"""After each failed attempt; after the last the delivery is given up."""
KEPT_FOR = timedelta(days=30)
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

    def tell(self, event: str, data: dict[str, Any]) -> "Delivery":
        return Delivery.objects.create(webhook=self, event=event, data=data)


def tell(owners: Sequence[User] | models.QuerySet[User], event: Event, data: dict[str, Any]) -> None:
    """Every active webhook of these that wants to hear of it."""
    for webhook in Webhook.objects.filter(owner__in=owners, is_active=True):
        if event in webhook.events:
            webhook.tell(event, data)


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def waiting(self) -> Self:
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self) -> Self:
        """Those to be sent now: of each webhook the oldest that waits, so that they arrive in order."""
        now = timezone.now()
        earlier = Delivery.objects.waiting().filter(webhook=OuterRef("webhook"), number__lt=OuterRef("number"))
        free = Q(held_until=None) | Q(held_until__lt=now)
        return self.waiting().filter(free, ~Exists(earlier), next_at__lte=now, webhook__is_active=True)


class Delivery(models.Model):
    number = models.BigAutoField(primary_key=True)
    """The order in which they happened."""
    id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    """The same in every attempt, so that its receiver knows what it has already."""
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.CharField(max_length=40)
    data = models.JSONField()
    happened_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    held_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)
    answer = models.CharField(max_length=200, blank=True)
    """What the last attempt met."""

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        indexes = (models.Index(fields=["delivered_at", "given_up_at", "next_at"]),)

    def __str__(self) -> str:
        return f"{self.event} {self.id}"

    @property
    def payload(self) -> dict[str, Any]:
        return {"type": self.event, "timestamp": self.happened_at.isoformat(), "data": self.data}

    # --- Verbs, called by whoever sends -----------------------------------------------------------------------------

    @classmethod
    def take(cls, limit: int) -> list["Delivery"]:
        """Some that are due, held for the caller alone."""
        taken = []
        for delivery in cls.objects.due().select_related("webhook")[:limit]:
            free = cls.objects.filter(pk=delivery.pk, held_until=delivery.held_until, attempts=delivery.attempts)
            if free.update(held_until=timezone.now() + HELD_FOR):
                taken.append(delivery)
        return taken

    def note_success(self, answer: str) -> None:
        self._note(answer, delivered_at=timezone.now())

    def note_failure(self, answer: str) -> None:
        if self.attempts < len(RETRIES):
            self._note(answer, next_at=timezone.now() + RETRIES[self.attempts])
        else:
            self._note(answer, given_up_at=timezone.now())

    def _note(self, answer: str, **changes: Any) -> None:
        with transaction.atomic():
            changes = {**changes, "answer": answer[:200], "attempts": self.attempts + 1, "held_until": None}
            Delivery.objects.filter(pk=self.pk).update(**changes)
            Delivery.objects.filter(webhook=self.webhook_id, delivered_at__lt=timezone.now() - KEPT_FOR).delete()
