"""Access tokens that were revoked before they expired. They are not stored, so their ids are kept in the cache until
then."""

import logging
from collections.abc import Collection
from hashlib import sha256

from django.core.cache import cache
from django.utils import timezone

from accounts.credentials.jwt.tokens import LEEWAY
from accounts.credentials.principal import Caller
from accounts.models.signals import access_token_denied

logger = logging.getLogger(__name__)


def deny(caller: Caller) -> None:
    """Revoke the caller's access token. Raises what the cache raises while it is unavailable."""
    if caller.expires is not None:
        left = caller.expires + LEEWAY - timezone.now()
        cache.set(_key(caller.jwt_ids[0]), True, max(1.0, left.total_seconds()))
        access_token_denied.send_robust(Caller, jwt_id=caller.jwt_ids[0])


def denied(jwt_ids: Collection[str]) -> set[str]:
    """Those of the ids that are denied; none while the cache is unavailable."""
    keys = {_key(jwt_id): jwt_id for jwt_id in jwt_ids}
    if not keys:
        return set()
    try:
        return {keys[key] for key in cache.get_many(keys)}
    except Exception as error:  # the exception depends on the cache backend
        message = "cannot check revoked access tokens: cache unavailable: %r"
        logger.warning(message, error, extra={"error_class": "network"})
        return set()


def _key(jwt_id: str) -> str:
    return f"token-denied-{sha256(jwt_id.encode()).hexdigest()}"
