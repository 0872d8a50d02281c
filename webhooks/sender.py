"""Sends what is due, in every web process, beside everything else: a slow receiver holds up nobody but itself."""

import asyncio
import logging
import ssl

import httpcore
from django.db import DatabaseError

from inference.observability.recent_errors import Outage
from speech.gateway.database import in_database
from webhooks.egress_guard import AddressBlocked, PublicNetwork
from webhooks.models import Delivery
from webhooks.signing import signed_headers

logger = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
MAX_CONCURRENT = 8
RESPONSE_TIMEOUT = 15.0
"""Seconds for one attempt, from the name to the status."""


class Sender:
    def __init__(self) -> None:
        self._outage = Outage(logger, "the database, for which webhooks wait,")

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as tasks:
            places = asyncio.Semaphore(MAX_CONCURRENT)
            while True:
                for delivery in await self._claim(MAX_CONCURRENT):
                    await places.acquire()
                    task = tasks.create_task(self._deliver(delivery))
                    task.add_done_callback(lambda _: places.release())
                await asyncio.sleep(POLL_INTERVAL)

    async def _claim(self, limit: int) -> list[Delivery]:
        try:
            deliveries: list[Delivery] = await in_database(Delivery.claim, limit)
        except DatabaseError as error:
            self._outage.record(error)
            return []
        self._outage.recovered()
        return deliveries

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            status = await post(delivery)
        except (AddressBlocked, OSError, TimeoutError, ValueError, httpcore.NetworkError, httpcore.ProtocolError,
                httpcore.TimeoutException, httpcore.UnsupportedProtocol) as error:  # fmt: skip
            note, answer = delivery.record_failure, _error_text(error)
        else:
            note = delivery.record_success if 200 <= status < 300 else delivery.record_failure
            answer = f"Answered with {status}."
        try:
            await in_database(note, answer)
        except DatabaseError as error:
            logger.warning("what became of delivery %s was not stored, it is sent again: %r", delivery.id, error)


async def post(delivery: Delivery) -> int:
    """The status of the answer; a redirect is one, and is not followed."""
    headers, body = signed_headers(delivery)
    named: list[tuple[bytes | str, bytes | str]] = list(headers.items())
    async with asyncio.timeout(RESPONSE_TIMEOUT):
        pool = httpcore.AsyncConnectionPool(network_backend=PublicNetwork(), ssl_context=ssl.create_default_context())
        async with pool, pool.stream("POST", delivery.webhook.url, headers=named, content=body) as response:
            return int(response.status)  # whatever else it says is left unread


def _error_text(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return f"No answer within {RESPONSE_TIMEOUT:.0f} s."
    return str(error) or type(error).__name__
