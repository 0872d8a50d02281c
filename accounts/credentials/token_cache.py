"""Cache of validated tokens, so that frequent API calls need no database query.

The cache is Redis, which all processes of a site share. A revoked token, a changed approval or a new password starts a
new epoch, which invalidates all entries of earlier ones. Without Redis nothing is cached: other processes, such as
management commands, could not invalidate the entries.
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
from accounts.models.signals import access_token_denied, credentials_ended, status_changed, token_revoked

logger = logging.getLogger(__name__)

CACHE_SECONDS = 5
EPOCH_KEY = "validations-epoch"


def cached_caller(token: str, validate: Callable[[str], Caller]) -> Caller:
    """The caller that `validate` returns for the token, cached. Exceptions are not cached."""
    if not settings.REDIS_URL:
        return validate(token)
    key = f"validation-{sha256(token.encode()).hexdigest()}"
    cached = _get([EPOCH_KEY, key])
    epoch = cached.get(EPOCH_KEY, "")
    if (entry := cached.get(key)) and entry[0] == epoch and not _is_expired(entry[1]):
        return entry[1]
    caller = validate(token)  # after reading the epoch: a decision in between outdates this entry
    _set(key, (epoch, caller))
    return caller


def _is_expired(caller: Caller) -> bool:
    return caller.expires is not None and caller.expires <= timezone.now()


def _get(keys: list[str]) -> dict[str, Any]:
    try:
        return cache.get_many(keys)
    except Exception as error:  # the exception depends on the cache backend; the database is the fallback
        logger.warning(
            "cache unavailable, checking tokens in the database: %r", error, extra={"error_class": "network"}
        )
        return {}


def _set(key: str, value: Any) -> None:
    try:
        cache.set(key, value, CACHE_SECONDS)
    except Exception as error:
        logger.warning("validation not cached: cache unavailable: %r", error, extra={"error_class": "network"})


@receiver([status_changed, credentials_ended, token_revoked, access_token_denied])
def invalidate_all(**kwargs: Any) -> None:
    try:
        cache.set(EPOCH_KEY, get_random_string(12), None)
    except Exception as error:
        logger.error(
            "a revoked token may stay valid for %d s: cache unavailable: %r",
            CACHE_SECONDS,
            error,
            extra={"error_class": "network"},
        )
