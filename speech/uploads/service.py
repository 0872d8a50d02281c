"""A file on its way: announced, then sent in pieces that follow each other, then waiting for whoever transcribes it.

A web server holds a whole request in memory, and a connection may break: so no piece is large, and one that was lost is
sent again from where the server says it is.
"""

import math

from asgiref.sync import async_to_sync
from django.conf import settings

from accounts.models import User
from inference.messages import Status
from speech.errors import NoEngine, ProtocolError
from speech.gateway.admission import choose
from speech.gateway.broadcast import broadcast, uploads_topic
from speech.gateway.link import Link
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.errors import EmptyFile, FileTooLarge, NoMatchingEngine, TooManyUploads

MAX_PART = 8 * 1024 * 1024
MAX_UNFINISHED = 20
MEGABYTE = 1_000_000


def create_upload(owner: User, name: str, size: int, engine: str, language: str, audio: bool, sides: bool) -> Upload:
    """Make room for a file of `size` bytes; one that was sent in part goes on. `audio`: its sound is kept. `sides`: it
    is stereo, with another speaker on each side.

    Raises `Refusal`.
    """
    if not size:
        raise EmptyFile
    if size > settings.UPLOAD_MAX_MB * MEGABYTE:
        megabytes = math.ceil(size / MEGABYTE)
        raise FileTooLarge(why=f"It has {megabytes} MB, and the bound is {settings.UPLOAD_MAX_MB} MB.")
    mine = Upload.objects.of(owner).unfinished()
    if begun := mine.filter(name=name, size=size, state=Upload.State.SENDING).first():
        return begun
    if mine.count() >= MAX_UNFINISHED:
        raise TooManyUploads(why=f"{MAX_UNFINISHED} files of one account may wait at a time.")
    if engine or language:
        _check_engine(engine, language)
    wishes = {"engine": engine, "language": language, "saves_audio": audio, "is_multichannel": sides}
    upload = Upload(owner=owner, name=name, size=size, **wishes)
    storage.reserve(upload)
    upload.save()
    return upload


def _check_engine(engine: str, language: str) -> None:
    """A file waits for an engine that is away, so one that is not known at all had better not be waited for."""
    try:
        choose(async_to_sync(_engines)(), engine, language)
    except NoEngine:
        pass  # one may come up before it is this file's turn
    except ProtocolError as error:
        raise NoMatchingEngine(error.what, error.why) from None


async def _engines() -> dict[str, Status]:
    return await Link.current().engines()


def add_part(upload: Upload, offset: str, size: int, piece: storage.Readable) -> bool:
    """Take the `size` bytes that follow the first `offset`. False: others should follow, which `upload.received` says.

    Raises `TooLarge`, and `Upload.DoesNotExist` if it was cancelled meanwhile.
    """
    if size > MAX_PART:
        raise FileTooLarge("The piece is too large.", f"The bound is {MAX_PART} bytes.")
    taken = offset.isdecimal() and storage.append(upload, int(offset), piece)
    upload.refresh_from_db()
    if upload.state == Upload.State.WAITING:
        broadcast(uploads_topic())
    return taken


def accept_truncated(upload: Upload) -> None:
    """Of a file that is cut off."""
    upload.accept_truncated()
    broadcast(uploads_topic())
    upload.refresh_from_db()


def cancel(upload: Upload) -> None:
    upload.cancel()
    storage.remove(upload)
    broadcast(uploads_topic())
