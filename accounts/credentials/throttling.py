"""How often an account may ask for something: one rate for all its programs, through whatever door they come."""

import logging
import math
import time
from typing import Any

from rest_framework.throttling import UserRateThrottle

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import Caller, RateLimited

logger = logging.getLogger(__name__)


class ApiThrottle(UserRateThrottle):
    scope = "programs"

    def allow_request(self, request: Any, view: Any = None) -> bool:
        """Counts one more. `request`: whatever has a `user`."""
        try:
            allowed: bool = super().allow_request(request, view)
        except Exception as error:  # whatever the cache's own errors are
            logger.warning("requests are not counted, the cache is away: %r", error)
            return True
        return allowed

    @property
    def headers(self) -> dict[str, str]:
        if self.rate is None or not hasattr(self, "history"):
            return {}
        oldest = self.history[-1] if self.history else self.now
        return {
            "X-RateLimit-Limit": str(self.num_requests),
            "X-RateLimit-Remaining": str(max(0, self.num_requests - len(self.history))),
            "X-RateLimit-Reset": str(math.ceil(max(0.0, oldest + self.duration - time.time()))),
        }


def authenticate(credentials: Credentials) -> Caller:
    """Who calls, once more in this minute. Raises `Refused`. Asks the database and the cache."""
    caller, rate = caller_of(credentials), ApiThrottle()
    if not rate.allow_request(caller):
        raise RateLimited(rate.num_requests, rate.wait())
    return caller
