"""Tokens that were found valid a moment ago, so that a program that calls often costs no database.

They lie in Redis, which all processes of a site share. Whatever may make one of them wrong, a revocation or a decision
over a user, begins a new epoch, and what was found in an earlier one counts no more. A site without Redis remembers
nothing: another process, as one at the command line, could not tell it, and its database is at hand.
"""

import logging
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.dispatch import receiver
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts.credentials.principal import Caller
from accounts.models.signals import status_changed, token_revoked

logger = logging.getLogger(__name__)

SECONDS = 5
EPOCH = "validations-epoch"


def cached_caller(token: str, validate: Callable[[str], Caller]) -> Caller:
    """The caller that `validate` found of the token, now or a moment ago. What it raises is not remembered."""
    if not settings.REDIS_URL:
        return validate(token)
    key = f"validation-{sha256(token.encode()).hexdigest()}"
    known = _get([EPOCH, key])
    epoch = known.get(EPOCH, "")
    if (found := known.get(key)) and found[0] == epoch and not _is_expired(found[1]):
        return found[1]
    caller = validate(token)  # after the epoch was read: a decision that falls in between makes this one old
    _set(key, (epoch, caller))
    return caller


def _is_expired(caller: Caller) -> bool:
    return caller.expires is not None and caller.expires <= timezone.now()


def _get(keys: list[str]) -> dict[str, Any]:
    try:
        return cache.get_many(keys)
    except Exception as error:  # whatever the cache's own errors are; the database knows as well
        logger.warning("tokens are looked up in the database, the cache is away: %r", error)
        return {}


def _set(key: str, value: Any) -> None:
    try:
        cache.set(key, value, SECONDS)
    except Exception as error:
        logger.warning("a validation was not remembered, the cache is away: %r", error)


@receiver([status_changed, token_revoked])
def invalidate_all(**kwargs: Any) -> None:
    try:
        cache.set(EPOCH, get_random_string(12), None)
    except Exception as error:
        logger.error("a token that was just refused may pass for %d s, the cache is away: %r", SECONDS, error)
