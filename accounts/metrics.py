"""Prometheus counters of accounts, exported by `operations/health/metrics.py`."""

from typing import Any

from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from prometheus_client import Counter

AUTH_ERRORS = Counter("auth_error", "Rejected tokens, tickets and passwords", ["what"])
EMAILS = Counter("speech_emails", "Emails by outcome", ["outcome"])

# A series must start at 0, otherwise alerts miss its first increase.
for what in ("token", "ticket", "password"):
    AUTH_ERRORS.labels(what)
for outcome in ("sent", "failed"):
    EMAILS.labels(outcome)


@receiver(user_login_failed)
def _count(**_: Any) -> None:
    AUTH_ERRORS.labels("password").inc()
