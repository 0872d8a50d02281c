"""Compression of recordings in the background, one after another. `manage.py retention` compresses those that a restart
left."""

import logging
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connection

from speech.library.recording.recording import Recording
from speech.models import Session

logger = logging.getLogger(__name__)

_compressor = ThreadPoolExecutor(1, "compressor")


def compress_soon(session: UUID) -> None:
    _compressor.submit(_compress_and_close, session)


def compress(session: UUID) -> None:
    matching = Session.objects.filter(pk=session)
    if matching.ended():
        matching.update(audio_bytes=Recording(session).compress())
    elif not matching:  # deleted meanwhile; if another stream continues the session, it compresses at its end
        Recording(session).remove()


def _compress_and_close(session: UUID) -> None:
    try:
        compress(session)
    except Exception:
        logger.exception("could not compress recording of session %s", session)
    finally:
        connection.close()
