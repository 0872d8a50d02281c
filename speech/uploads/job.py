"""The job that turns one upload into a session: check the file, transcribe it in chunks, store them, delete the file.

After any interruption, a restart included, it continues after the last stored chunk.
"""

import asyncio
import logging
from contextlib import aclosing

from accounts.credentials.principal import Caller
from accounts.scopes import STT
from inference.observability.recent_errors import classify
from speech import errors
from speech.batch import decode
from speech.batch.chunk_transcriber import ChunkTranscript
from speech.batch.chunking import Chunk
from speech.batch.parallel_transcriber import ParallelTranscriber
from speech.batch.preemption import Preemption
from speech.gateway.database import in_database
from speech.gateway.transient_errors import TRANSIENT_ERRORS
from speech.metrics import UPLOADS
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.session_writer import SessionWriter

logger = logging.getLogger(__name__)

RETRY_AFTER = 3.0  # seconds


class UploadJob:
    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        caller = Caller(upload.owner, frozenset({STT}), is_job=True)
        self._transcriber = ParallelTranscriber(
            caller, upload.engine, upload.language, on_started=self._start, is_multichannel=upload.is_multichannel
        )
        self._writer: SessionWriter | None = None  # once there is capacity

    @property
    def processed(self) -> int:
        """Samples transcribed, stored or not."""
        return self._writer.end + self._transcriber.processed if self._writer else 0

    async def run(self) -> None:
        """Run until the upload is done or has failed, or its session is deleted or taken over."""
        try:
            if self.upload.samples is None:
                await asyncio.to_thread(storage.verify, self.upload)
                path = storage.path_of(self.upload)
                found = await decode.measure(path, self.upload.accepts_truncated, self.upload.is_multichannel)
                await in_database(self.upload.set_checked, found.samples, found.note)
            self._writer = await self._wait_for_capacity()
            if self._writer:
                await self._transcribe(self._writer)
        except (errors.SessionNotFound, errors.TakenOver):
            await self._discard_deleted()
        except errors.StreamError as error:
            await self.fail(error)

    async def _wait_for_capacity(self) -> SessionWriter | None:
        """None if the upload was canceled."""
        while True:
            await Preemption.current().wait(self.upload.engine)
            try:
                return await in_database(SessionWriter.of, self.upload)
            except errors.TooManyStreams as error:
                logger.info("upload %s must wait; retrying: %s", self.upload.pk, error)
                await asyncio.sleep(RETRY_AFTER)

    async def _transcribe(self, writer: SessionWriter) -> None:
        channels = 2 if self.upload.is_multichannel else 1
        audio = decode.decode(storage.path_of(self.upload), writer.end, channels)
        async with aclosing(self._transcriber.transcribe(audio, writer.end)) as chunks:
            async for chunk, transcript in chunks:
                await self._store(writer, chunk, transcript)
        await in_database(writer.finish)
        await in_database(self.upload.finish)
        UPLOADS.labels("done").inc()
        await asyncio.to_thread(storage.remove, self.upload)

    async def _start(self, engine: str, language: str) -> None:
        if self._writer is None:
            return
        try:
            await in_database(self._writer.start, engine, language)
        except TRANSIENT_ERRORS:
            raise errors.Unavailable from None

    async def _store(self, writer: SessionWriter, chunk: Chunk, transcript: ChunkTranscript) -> None:
        while True:
            try:
                await in_database(writer.add, chunk, transcript, self._transcriber.slots_lost)
            except TRANSIENT_ERRORS as error:
                logger.warning("could not store upload %s; retrying: %r", self.upload.pk, error, extra=classify(error))
                await asyncio.sleep(RETRY_AFTER)
            else:
                return

    async def fail(self, error: errors.StreamError) -> None:
        """Give up, and show the error to the owner."""
        problem = {"what": error.what, "why": error.why, "action": error.action}
        is_truncated = isinstance(error, decode.Truncated)
        logger.info("upload %s failed: %s", self.upload.pk, error)  # the site is fine: its own failures are retried
        if self._writer:
            await in_database(self._writer.finish)
        await in_database(self.upload.fail, problem, is_truncated)
        UPLOADS.labels("truncated" if is_truncated else "failed").inc()
        if not is_truncated:
            await asyncio.to_thread(storage.remove, self.upload)

    async def _discard_deleted(self) -> None:
        """Stop when the owner deletes the session; its transcript so far can be restored."""
        logger.info("session of upload %s was deleted or taken over; discarding the upload", self.upload.pk)
        await in_database(self.upload.discard)
        await asyncio.to_thread(storage.remove, self.upload)
