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
from speech.batch.chunk_transcriber import HeardPart
from speech.batch.chunking import Part
from speech.batch.parallel_transcriber import InOrder
from speech.batch.preemption import Capacity
from speech.gateway.database import in_database
from speech.gateway.transient_errors import OUTAGES
from speech.metrics import UPLOADS
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.session_writer import Assembly

logger = logging.getLogger(__name__)

TRIES_AGAIN_AFTER = 3.0  # seconds


class Job:
    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        caller = Caller(upload.owner, frozenset({STT}))
        self._hearing = InOrder(caller, upload.engine, upload.language, begun=self._begin, has_sides=upload.has_sides)
        self._assembly: Assembly | None = None  # once there is room

    @property
    def heard(self) -> int:
        """Samples, stored or not."""
        return self._assembly.end + self._hearing.heard if self._assembly else 0

    async def run(self) -> None:
        """Returns when the upload is done or refused, or is no longer wanted."""
        try:
            if self.upload.samples is None:
                path = storage.path_of(self.upload)
                samples = await decode.length_of(path, self.upload.takes_cut, self.upload.has_sides)
                await in_database(self.upload.note_length, samples)
            self._assembly = await self._find_room()
            if self._assembly:
                await self._transcribe(self._assembly)
        except (errors.NoSession, errors.TakenOver):
            await self._forget_deleted()
        except errors.StreamError as error:
            await self._refuse(error)

    # --- From the file to the session -------------------------------------------------------------------------------

    async def _find_room(self) -> Assembly | None:
        """None if it was cancelled meanwhile."""
        while True:
            await Capacity.current().wait(self.upload.engine)
            try:
                return await in_database(Assembly.of, self.upload)
            except errors.TooManyStreams as error:
                logger.info("upload %s waits: %s", self.upload.pk, error)
                await asyncio.sleep(TRIES_AGAIN_AFTER)

    async def _transcribe(self, assembly: Assembly) -> None:
        channels = 2 if self.upload.has_sides else 1
        sound = decode.decoded(storage.path_of(self.upload), assembly.end, channels)
        async with aclosing(self._hearing.parts(sound, assembly.end)) as parts:
            async for part, heard in parts:
                await self._store(assembly, part, heard)
        await in_database(assembly.finish)
        await in_database(self.upload.finish)
        UPLOADS.labels("done").inc()
        await asyncio.to_thread(storage.remove, self.upload)

    async def _begin(self, engine: str, language: str) -> None:
        if self._assembly is None:
            return
        try:
            await in_database(self._assembly.begin, engine, language)
        except OUTAGES:
            raise errors.Unavailable from None

    async def _store(self, assembly: Assembly, part: Part, heard: HeardPart) -> None:
        while True:
            try:
                await in_database(assembly.add, part, heard, self._hearing.slots_lost)
            except OUTAGES as error:
                logger.warning("upload %s cannot be stored, trying again: %r", self.upload.pk, error)
                await asyncio.sleep(TRIES_AGAIN_AFTER)
            else:
                return

    # --- How it may end ---------------------------------------------------------------------------------------------

    async def _refuse(self, error: errors.StreamError) -> None:
        problem = {"what": error.what, "why": error.why, "todo": error.todo}
        is_cut = isinstance(error, decode.CutOff)
        logger.info("upload %s is refused: %s", self.upload.pk, error)
        if self._assembly:
            await in_database(self._assembly.finish)
        await in_database(self.upload.refuse, problem, is_cut)
        UPLOADS.labels("cut" if is_cut else "refused").inc()
        if not is_cut:
            await asyncio.to_thread(storage.remove, self.upload)

    async def _forget_deleted(self) -> None:
        """Whoever deletes the session does not want the rest of it; what there is may yet be put back."""
        logger.info("the session of upload %s is gone, or goes on elsewhere", self.upload.pk)
        await in_database(self.upload.drop)
        await asyncio.to_thread(storage.remove, self.upload)
