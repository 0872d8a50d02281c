"""Exclusive access of a stream to its session: a new one, or one that its client resumes."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.db import DatabaseError

from accounts.models import User
from inference.observability.recent_errors import classify
from speech import errors
from speech.gateway.broadcast import broadcast, session_topic
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.library.recording import Recorder
from speech.live.stream_options import StreamOptions
from speech.live.unsaved_session import UnsavedSession
from speech.models import Session

logger = logging.getLogger(__name__)


async def acquire_session(owner: User, options: StreamOptions) -> tuple[Session | UnsavedSession, Recorder | None]:
    """Return the session, or the stand-in for one that is not saved, and its recorder if its audio is saved. A stream
    that had the session before is notified.

    Raises `SessionNotFound`, `IsConversation`, `NotApproved`, `TooManyStreams`, `QuotaReached`, and `Unavailable` if
    the database is unavailable.
    """
    if not options.keep:
        return UnsavedSession(), None
    recorder = None
    try:
        names_speakers = bool(options.speaker)
        session = await in_database(Session.acquire, owner, options.session, options.saves_audio, names_speakers)
        if session.saves_audio:
            usage = await in_database(Session.objects.of(owner).usage)
            recorder = Recorder(session.pk, session.epoch, session.samples, usage.audio_bytes_left)
    except DatabaseError as error:
        logger.error("could not start stream of user %s: %r", owner.pk, error, extra=classify(error))
        raise errors.Unavailable from None
    if options.session:
        await sync_to_async(broadcast)(session_topic(session.pk), epoch=session.epoch)
    return session, recorder


@contextmanager
def takeover_guard(session: Session | UnsavedSession, fail: Callable[[errors.StreamError], None]) -> Iterator[None]:
    """Call `fail` with `TakenOver` when another stream acquires the session."""

    def on_acquired(notice: dict[str, Any]) -> None:
        if notice["epoch"] > session.epoch:
            fail(errors.TakenOver())

    with Link.current().subscribed(session_topic(session.pk), on_acquired):
        yield
