"""Sends due deliveries from every web process. A slow receiver delays only its own deliveries."""

import asyncio
import logging
import ssl

import httpcore
from django.db import DatabaseError

from inference.observability.recent_errors import Outage, classify
from speech.egress_guard import AddressBlocked, PublicNetwork
from speech.gateway.database import in_database
from webhooks.models import Delivery
from webhooks.signing import signed_headers

logger = logging.getLogger(__name__)

POLL_INTERVAL = 1.0
MAX_CONCURRENT = 8
RESPONSE_TIMEOUT = 15.0
"""Seconds for one attempt, from resolving the host name to the response status."""


class Sender:
    def __init__(self) -> None:
        self._outage = Outage(logger, "database (for webhooks)")

    async def run(self) -> None:
        """Send deliveries until canceled."""
        async with asyncio.TaskGroup() as tasks:
            semaphore = asyncio.Semaphore(MAX_CONCURRENT)
            while True:
                for delivery in await self._claim(MAX_CONCURRENT):
                    await semaphore.acquire()
                    task = tasks.create_task(self._deliver(delivery))
                    task.add_done_callback(lambda _: semaphore.release())
                await asyncio.sleep(POLL_INTERVAL)

    async def _claim(self, limit: int) -> list[Delivery]:
        try:
            deliveries: list[Delivery] = await in_database(Delivery.claim, limit)
        except DatabaseError as error:
            self._outage.record(error)
            return []
        except Exception:
            logger.exception("could not claim deliveries; trying again")  # else this process would send no more
            return []
        self._outage.recovered()
        return deliveries

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            status = await post(delivery)
        except (AddressBlocked, OSError, TimeoutError, ValueError, httpcore.NetworkError, httpcore.ProtocolError,
                httpcore.TimeoutException, httpcore.UnsupportedProtocol) as error:  # fmt: skip
            record, result = delivery.record_failure, _error_text(error)
        except Exception as error:
            logger.exception("unexpected error in delivery %s", delivery.id)  # raised, it would end all deliveries
            record, result = delivery.record_failure, _error_text(error)
        else:
            record = delivery.record_success if 200 <= status < 300 else delivery.record_failure
            result = f"HTTP {status}"
        try:
            await in_database(record, result)
        except DatabaseError as error:
            logger.warning(
                "could not store the result of delivery %s; it will be sent again: %r",
                delivery.id,
                error,
                extra=classify(error),
            )


async def post(delivery: Delivery) -> int:
    """POST the delivery. Returns the response status; redirects are not followed."""
    headers, body = signed_headers(delivery)
    header_list: list[tuple[bytes | str, bytes | str]] = list(headers.items())
    async with asyncio.timeout(RESPONSE_TIMEOUT):
        pool = httpcore.AsyncConnectionPool(network_backend=PublicNetwork(), ssl_context=ssl.create_default_context())
        async with pool, pool.stream("POST", delivery.webhook.url, headers=header_list, content=body) as response:
            return int(response.status)  # the body is not read


def _error_text(error: Exception) -> str:
    if isinstance(error, TimeoutError | httpcore.TimeoutException):
        return f"No response within {RESPONSE_TIMEOUT:.0f} s."
    return str(error) or type(error).__name__
