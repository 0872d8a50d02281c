"""What is counted of who wants to come in, for Prometheus (`operations/health/metrics.py` tells it)."""

from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from prometheus_client import Counter

AUTH_ERRORS = Counter("auth_error", "Tokens, tickets and passwords that were refused", ["what"])
EMAILS = Counter("speech_emails", "E-mails that were handed over, or were not", ["outcome"])

# A series that begins at 0 shows its first increase, to an alert too.
for what in ("token", "ticket", "password"):
    AUTH_ERRORS.labels(what)
for outcome in ("sent", "failed"):
    EMAILS.labels(outcome)


@receiver(user_login_failed)
def _count(**_: Any) -> None:
    AUTH_ERRORS.labels("password").inc()
