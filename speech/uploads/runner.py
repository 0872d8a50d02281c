"""Transcribing uploads in a web process: claim waiting ones and run a few jobs at a time."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections import Counter
from typing import Any

from inference.observability.recent_errors import Outage
from speech.errors import InternalError
from speech.gateway.broadcast import uploads_topic
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import TRANSIENT_ERRORS
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.job import UploadJob

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
"""Attempts at an upload that each end with an unexpected error. Then its owner learns that it failed."""
MAX_JOBS = 4
"""Of these, one account gets all but the last, which is kept for another one: a job can take hours."""
POLL_INTERVAL = 2.0  # seconds
SWEEP_INTERVAL = 600.0  # seconds


class Runner:
    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        self._jobs: dict[uuid.UUID, tuple[UploadJob, asyncio.Task[None]]] = {}
        self._unexpected: Counter[uuid.UUID] = Counter()  # errors, by upload
        self._swept_at = float("-inf")
        self._outage = Outage(logger, "database (for uploads)")

    async def run(self) -> None:
        """Run until canceled; other processes then continue the unfinished uploads."""
        link = Link.current()
        self._wake = asyncio.Event()
        try:
            with link.subscribed(uploads_topic(), self._on_broadcast):
                while True:
                    await self._poll_safely()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(POLL_INTERVAL):
                            await self._wake.wait()
                    self._wake.clear()
        finally:
            await self._stop()

    def _on_broadcast(self, message: dict[str, Any]) -> None:
        self._wake.set()

    async def _poll_safely(self) -> None:
        try:
            await self._poll()
        except TRANSIENT_ERRORS as error:
            self._outage.record(error)
        except Exception:
            logger.exception("unexpected error in the uploads; trying again")  # raised, it would end this process
        else:
            self._outage.recovered()

    async def _poll(self) -> None:
        await self._drop_ended()
        for job, task in list(self._jobs.values()):
            if not await in_database(job.upload.heartbeat, job.processed) and not task.done():
                task.cancel()  # it was canceled, or another process claimed it
        while len(self._jobs) < MAX_JOBS and (upload := await self._claim()):
            job = UploadJob(upload)
            self._jobs[upload.pk] = job, asyncio.create_task(job.run())
        if time.monotonic() - self._swept_at > SWEEP_INTERVAL:
            self._swept_at = time.monotonic()
            await in_database(_sweep)

    async def _claim(self) -> Upload | None:
        owners = Counter(job.upload.owner_id for job, _ in self._jobs.values())
        full = [owner for owner, jobs in owners.items() if jobs >= MAX_JOBS - 1]
        return await in_database(Upload.claim, self._name, list(self._jobs), full)

    async def _drop_ended(self) -> None:
        for pk, (job, task) in list(self._jobs.items()):
            if not task.done():
                continue
            del self._jobs[pk]
            error = None if task.cancelled() else task.exception()
            if error is None:
                self._unexpected.pop(pk, None)
                continue
            self._unexpected[pk] += 1
            is_last = self._unexpected[pk] >= MAX_ATTEMPTS
            action = "giving up" if is_last else "retrying when its lease expires"
            logger.error("upload %s failed; %s", pk, action, exc_info=error)
            if is_last:
                await job.fail(InternalError())
                del self._unexpected[pk]

    async def _stop(self) -> None:
        tasks = [task for _, task in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job, _ in self._jobs.values():
            with contextlib.suppress(*TRANSIENT_ERRORS):
                await in_database(job.upload.release)


def _sweep() -> None:
    for upload in Upload.objects.expired():
        upload.cancel()
        storage.remove(upload)
    storage.sweep(list(Upload.objects.values_list("pk", flat=True)))
