"""Rate limits of an account: one for its programs in all protocols together, one for its browsers, one for tickets.
Requests without an account are counted by client: `client_network`."""

import logging
import math
import time
from typing import Any

from allauth.core.internal.ratelimit import get_ip
from rest_framework.throttling import UserRateThrottle

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import Caller, RateLimited

logger = logging.getLogger(__name__)


def client_network(request: Any) -> str:
    """The client's address in rate limits: an IPv4 address, or the /64 network of an IPv6 address, because one client
    has all addresses in it. allauth uses it for its own limits."""
    network: str = get_ip(request)
    return network


class AccountThrottle(UserRateThrottle):
    """Counts the requests of an account. While the cache is unavailable it allows all of them: clients reconnect before
    an outage is quite over."""

    def allow_request(self, request: Any, view: Any = None) -> bool:
        """Count one request. `request` is any object with a `user`."""
        try:
            allowed: bool = super().allow_request(request, view)
        except Exception as error:  # the exception depends on the cache backend
            message = "rate limit of %s disabled: cache unavailable: %r"
            logger.warning(message, self.scope, error, extra={"error_class": "network"})
            return True
        return allowed

    def get_ident(self, request: Any) -> str:
        return client_network(request)

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


class ApiThrottle(AccountThrottle):
    """All requests with a token, whatever the protocol."""

    scope = "programs"


class BrowserThrottle(AccountThrottle):
    """REST requests with a browser's login. The limit is high, because the upload page sends a large file in a thousand
    requests."""

    scope = "browsers"


class FormThrottle(AccountThrottle):
    """Forms of pages, searches included."""

    scope = "forms"


class WebhookThrottle(AccountThrottle):
    """Requests that a user has the server send at once: tests and retries of webhooks."""

    scope = "webhooks"


class TicketThrottle(AccountThrottle):
    """Tickets for the WebSockets of the site's pages."""

    scope = "tickets"


class RefreshThrottle(AccountThrottle):
    """Requests that need only a refresh token, or the token to revoke."""

    scope = "refresh"


def authenticate(credentials: Credentials, throttle: AccountThrottle | None = None) -> Caller:
    """Authenticate the caller and count the request. Raises `AccessDenied`. Queries the database and the cache."""
    caller, throttle = caller_of(credentials), throttle or ApiThrottle()
    if not throttle.allow_request(caller):
        raise RateLimited(throttle.num_requests, throttle.wait())
    return caller
