"""Compresses recordings beside everything else, one after another. What a restart interrupts is packed by
`manage.py retention`."""

import logging
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from django.db import connection

from speech.library.recording.recording import Recording
from speech.models import Session

logger = logging.getLogger(__name__)

_compressor = ThreadPoolExecutor(1, "packer")


def compress_soon(session: UUID) -> None:
    _compressor.submit(_compress_and_close, session)


def compress(session: UUID) -> None:
    found = Session.objects.filter(pk=session)
    if found.ended():
        found.update(audio_bytes=Recording(session).compress())
    elif not found:  # it was deleted meanwhile; else another stream goes on with it, and sees to it at its end
        Recording(session).remove()


def _compress_and_close(session: UUID) -> None:
    try:
        compress(session)
    except Exception:
        logger.exception("the recording of session %s could not be compressed", session)
    finally:
        connection.close()
