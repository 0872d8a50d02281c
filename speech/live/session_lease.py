"""How a stream makes a session its own: a new one, or one that its speaker comes back to."""

import logging
import uuid

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from accounts.models import User
from speech import errors
from speech.gateway.broadcast import broadcast, session_topic
from speech.gateway.database import in_database
from speech.library.recording import Recorder
from speech.models import Session

logger = logging.getLogger(__name__)


async def acquire_session(owner: User, resumes: uuid.UUID | None, saves_audio: bool) -> tuple[Session, Recorder | None]:
    """The session, and what records it where that is wanted; whoever had it before is told.

    Raises `NoSession`, `NotApproved`, `TooManyStreams`, `QuotaReached`, and `Unavailable` if the database is away.
    """
    recorder = None
    try:
        session = await in_database(Session.acquire, owner, resumes, saves_audio)
        if session.saves_audio:
            usage = await in_database(Session.objects.of(owner).usage)
            recorder = Recorder(session.pk, session.epoch, session.samples, usage.audio_room)
    except DatabaseError as error:
        logger.error("a stream of user %s could not begin: %r", owner.pk, error)
        raise errors.Unavailable from None
    if resumes:
        await sync_to_async(broadcast)(session_topic(session.pk), epoch=session.epoch)
    return session, recorder
