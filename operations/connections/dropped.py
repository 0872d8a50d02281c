"""Log and count of what the limits of this folder close or reject."""

import logging
import time
from collections.abc import Callable

from prometheus_client import Counter

logger = logging.getLogger(__name__)

REASONS = {
    "connections": "has too many connections",
    "header": "sends the header of its request too slowly",
    "body": "sends the body of its request too slowly",
    "response": "reads its response too slowly",
    "too_large": "sends a body that is too large",
    "credentials": "sends a large body without valid credentials",
    "disk": "sends a large body, but the disk is nearly full",
}
DROPPED = Counter("speech_connections_dropped", "Connections closed because of a limit", ["reason"])
for _reason in REASONS:
    DROPPED.labels(_reason)  # a series must start at 0, otherwise alerts miss its first increase

LOG_INTERVAL = 60.0
"""Seconds between two messages about the same client."""
MAX_CLIENTS = 1_000
"""Addresses remembered for it. When there are more, all are forgotten: some may be logged again early."""


class DropLog:
    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._logged_at: dict[str, float] = {}

    def add(self, reason: str, address: str) -> None:
        """Count the drop of a connection. `reason`: one of `REASONS`."""
        DROPPED.labels(reason).inc()
        now = self._now()
        if now - self._logged_at.get(address, -LOG_INTERVAL) < LOG_INTERVAL:
            return
        if len(self._logged_at) >= MAX_CLIENTS:
            self._logged_at.clear()
        self._logged_at[address] = now
        logger.warning("client %s %s; closing its connection", address, REASONS[reason])


dropped = DropLog()
