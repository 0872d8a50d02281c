"""What a web process does for uploaded files: it takes those that wait, and works on some at a time."""

import asyncio
import contextlib
import logging
import time
import uuid
from typing import Any

from inference.observability.recent_errors import Outage
from speech.gateway.broadcast import about_uploads
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import OUTAGES
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.job import Job

logger = logging.getLogger(__name__)

AT_ONCE = 4
LOOKS_EVERY = 2.0
SWEEPS_EVERY = 600.0
"""Seconds."""


class Runner:
    def __init__(self) -> None:
        self._name = uuid.uuid4().hex
        self._jobs: dict[uuid.UUID, tuple[Job, asyncio.Task[None]]] = {}
        self._swept_at = float("-inf")
        self._outage = Outage(logger, "the database, for which uploads wait,")

    async def run(self) -> None:
        """Until cancelled; then others may go on with what is not done."""
        link = Link.current()
        self._news = asyncio.Event()
        try:
            with link.listening(about_uploads(), self._hear):
                while True:
                    await self._look_if_it_can()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(LOOKS_EVERY):
                            await self._news.wait()
                    self._news.clear()
        finally:
            await self._stop()

    def _hear(self, notice: dict[str, Any]) -> None:
        self._news.set()

    async def _look_if_it_can(self) -> None:
        try:
            await self._look()
        except OUTAGES as error:
            self._outage.note(error)
        else:
            self._outage.is_over()

    async def _look(self) -> None:
        self._drop_ended()
        for job, task in list(self._jobs.values()):
            if not await in_database(job.upload.sign, job.heard) and not task.done():
                task.cancel()  # it was cancelled, or another process has it
        while len(self._jobs) < AT_ONCE and (upload := await in_database(Upload.take, self._name, list(self._jobs))):
            job = Job(upload)
            self._jobs[upload.pk] = job, asyncio.create_task(job.run())
        if time.monotonic() - self._swept_at > SWEEPS_EVERY:
            self._swept_at = time.monotonic()
            await in_database(_sweep)

    def _drop_ended(self) -> None:
        for pk, (_, task) in list(self._jobs.items()):
            if task.done():
                del self._jobs[pk]
                if not task.cancelled() and (error := task.exception()):
                    logger.error("upload %s failed, it is tried again when its lease is over", pk, exc_info=error)

    async def _stop(self) -> None:
        tasks = [task for _, task in self._jobs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job, _ in self._jobs.values():
            with contextlib.suppress(*OUTAGES):
                await in_database(job.upload.put_back)


def _sweep() -> None:
    for upload in Upload.objects.forgotten():
        upload.cancel()
        storage.remove(upload)
    storage.sweep(list(Upload.objects.values_list("pk", flat=True)))
