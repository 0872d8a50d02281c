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
from speech.gateway.broadcast import about_uploads, notify
from speech.gateway.link import Link
from speech.models import Upload
from speech.uploads import storage
from speech.uploads.errors import Empty, NobodyHas, TooLarge, TooMany

LARGEST_PIECE = 8 * 1024 * 1024
UNFINISHED_AT_MOST = 20
MEGABYTE = 1_000_000


def announce(owner: User, name: str, size: int, engine: str, language: str, audio: bool, sides: bool) -> Upload:
    """Make room for a file of `size` bytes; one that was sent in part goes on. `audio`: its sound is kept. `sides`: it
    is stereo, with another speaker on each side.

    Raises `Refusal`.
    """
    if not size:
        raise Empty
    if size > settings.UPLOAD_MAX_MB * MEGABYTE:
        megabytes = math.ceil(size / MEGABYTE)
        raise TooLarge(why=f"It has {megabytes} MB, and the bound is {settings.UPLOAD_MAX_MB} MB.")
    mine = Upload.objects.of(owner).unfinished()
    if begun := mine.filter(name=name, size=size, state=Upload.State.SENDING).first():
        return begun
    if mine.count() >= UNFINISHED_AT_MOST:
        raise TooMany(why=f"{UNFINISHED_AT_MOST} files of one account may wait at a time.")
    if engine or language:
        _see_whether_somebody_has(engine, language)
    wishes = {"engine": engine, "language": language, "keeps_audio": audio, "has_sides": sides}
    upload = Upload(owner=owner, name=name, size=size, **wishes)
    storage.make_room(upload)
    upload.save()
    return upload


def _see_whether_somebody_has(engine: str, language: str) -> None:
    """A file waits for an engine that is away, so one that is not known at all had better not be waited for."""
    try:
        choose(async_to_sync(_engines)(), engine, language)
    except NoEngine:
        pass  # one may come up before it is this file's turn
    except ProtocolError as error:
        raise NobodyHas(error.what, error.why) from None


async def _engines() -> dict[str, Status]:
    return await Link.current().engines()


def add(upload: Upload, offset: str, size: int, piece: storage.Readable) -> bool:
    """Take the `size` bytes that follow the first `offset`. False: others should follow, which `upload.received` says.

    Raises `TooLarge`, and `Upload.DoesNotExist` if it was cancelled meanwhile.
    """
    if size > LARGEST_PIECE:
        raise TooLarge("The piece is too large.", f"The bound is {LARGEST_PIECE} bytes.")
    taken = offset.isdecimal() and storage.append(upload, int(offset), piece)
    upload.refresh_from_db()
    if upload.state == Upload.State.WAITING:
        notify(about_uploads())
    return taken


def take_what_is_there(upload: Upload) -> None:
    """Of a file that is cut off."""
    upload.take_what_is_there()
    notify(about_uploads())
    upload.refresh_from_db()


def cancel(upload: Upload) -> None:
    upload.cancel()
    storage.remove(upload)
    notify(about_uploads())
