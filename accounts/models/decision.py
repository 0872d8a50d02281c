"""The approval log: permanent entries of who decided, about whom, when and why, and of changed email addresses."""

from django.conf import settings
from django.db import models
from django.utils import timezone

REASON_LENGTH = 500  # characters


class Status(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class DecisionEntry(models.Model):
    """An entry of the approval log. It outlives both accounts, so it stores their email addresses too."""

    at = models.DateTimeField(default=timezone.now)
    account = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    email = models.EmailField("account email")
    new_email = models.EmailField("new email", blank=True)
    """The address to which the account's changed. Empty if the entry is a decision."""
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_email = models.EmailField("decided by (email)", blank=True)
    """Empty if the decision was made by a management command."""
    status = models.CharField(max_length=10, choices=Status)
    reason = models.CharField(max_length=REASON_LENGTH, blank=True)
    is_undo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-at", "-id")
        verbose_name_plural = "decisions"
        verbose_name = "decision"

    def __str__(self) -> str:
        return f"{self.email}: {self.get_status_display()}"
