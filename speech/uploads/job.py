"""One uploaded file on its way to a session, in one process: checked, heard in parts, put together, and put away.

Whatever ends it, a restart included, it goes on after the last stored part when it is taken up again.
"""

import asyncio
import logging
from contextlib import aclosing

from accounts.credentials.principal import Caller
from accounts.scopes import STT
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
        caller = Caller(upload.owner, frozenset({STT}))
        self._transcriber = ParallelTranscriber(
            caller, upload.engine, upload.language, begun=self._begin, is_multichannel=upload.is_multichannel
        )
        self._writer: SessionWriter | None = None  # once there is room

    @property
    def processed(self) -> int:
        """Samples, stored or not."""
        return self._writer.end + self._transcriber.processed if self._writer else 0

    async def run(self) -> None:
        """Returns when the upload is done or refused, or is no longer wanted."""
        try:
            if self.upload.samples is None:
                path = storage.path_of(self.upload)
                samples = await decode.measure(path, self.upload.accepts_truncated, self.upload.is_multichannel)
                await in_database(self.upload.set_length, samples)
            self._writer = await self._find_room()
            if self._writer:
                await self._transcribe(self._writer)
        except (errors.SessionNotFound, errors.TakenOver):
            await self._discard_deleted()
        except errors.StreamError as error:
            await self._fail(error)

    # --- From the file to the session -------------------------------------------------------------------------------

    async def _find_room(self) -> SessionWriter | None:
        """None if it was cancelled meanwhile."""
        while True:
            await Preemption.current().wait(self.upload.engine)
            try:
                return await in_database(SessionWriter.of, self.upload)
            except errors.TooManyStreams as error:
                logger.info("upload %s waits: %s", self.upload.pk, error)
                await asyncio.sleep(RETRY_AFTER)

    async def _transcribe(self, assembly: SessionWriter) -> None:
        channels = 2 if self.upload.is_multichannel else 1
        sound = decode.decode(storage.path_of(self.upload), assembly.end, channels)
        async with aclosing(self._transcriber.transcribe(sound, assembly.end)) as parts:
            async for part, heard in parts:
                await self._store(assembly, part, heard)
        await in_database(assembly.finish)
        await in_database(self.upload.finish)
        UPLOADS.labels("done").inc()
        await asyncio.to_thread(storage.remove, self.upload)

    async def _begin(self, engine: str, language: str) -> None:
        if self._writer is None:
            return
        try:
            await in_database(self._writer.begin, engine, language)
        except TRANSIENT_ERRORS:
            raise errors.Unavailable from None

    async def _store(self, assembly: SessionWriter, part: Chunk, heard: ChunkTranscript) -> None:
        while True:
            try:
                await in_database(assembly.add, part, heard, self._transcriber.slots_lost)
            except TRANSIENT_ERRORS as error:
                logger.warning("upload %s cannot be stored, trying again: %r", self.upload.pk, error)
                await asyncio.sleep(RETRY_AFTER)
            else:
                return

    # --- How it may end ---------------------------------------------------------------------------------------------

    async def _fail(self, error: errors.StreamError) -> None:
        problem = {"what": error.what, "why": error.why, "action": error.action}
        is_cut = isinstance(error, decode.Truncated)
        logger.info("upload %s is refused: %s", self.upload.pk, error)
        if self._writer:
            await in_database(self._writer.finish)
        await in_database(self.upload.fail, problem, is_cut)
        UPLOADS.labels("cut" if is_cut else "refused").inc()
        if not is_cut:
            await asyncio.to_thread(storage.remove, self.upload)

    async def _discard_deleted(self) -> None:
        """Whoever deletes the session does not want the rest of it; what there is may yet be put back."""
        logger.info("the session of upload %s is gone, or goes on elsewhere", self.upload.pk)
        await in_database(self.upload.delete_file)
        await asyncio.to_thread(storage.remove, self.upload)
