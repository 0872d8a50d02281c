"""Receiving a file: the client announces it, sends it in consecutive parts, and then it waits to be transcribed.

A web server holds a whole request in memory, and connections break: so parts are small, and the client resends a lost
one from the offset that the server reports.
"""

import math

from asgiref.sync import async_to_sync
from django.conf import settings
from django.utils import timezone

from accounts.models import User
from inference.messages import Status
from speech.errors import NoEngine, ProtocolError
from speech.gateway.broadcast import broadcast, uploads_topic
from speech.gateway.link import Link
from speech.gateway.slot_request import choose
from speech.models import Upload
from speech.text.whole_number import whole_number
from speech.uploads import storage
from speech.uploads.errors import EmptyFile, FileTooLarge, NoMatchingEngine, TooManyUploads

MAX_PART = 8 * 1024 * 1024  # bytes
MAX_UNFINISHED = 20
MEGABYTE = 1_000_000


def create_upload(
    owner: User, name: str, size: int, engine: str, language: str, audio: bool, multichannel: bool
) -> Upload:
    """Reserve space for a file of `size` bytes, or resume an incomplete upload. `audio`: save its audio.
    `multichannel`: one speaker per stereo channel.

    Raises `UploadError`.
    """
    if not size:
        raise EmptyFile
    megabytes = math.ceil(size / MEGABYTE)
    if size > settings.UPLOAD_MAX_MB * MEGABYTE:
        raise FileTooLarge(why=f"The file is {megabytes} MB; the limit is {settings.UPLOAD_MAX_MB} MB.")
    unfinished = Upload.objects.of(owner).unfinished()
    if incomplete := unfinished.filter(name=name, size=size, state=Upload.State.UPLOADING).first():
        return _resume(incomplete)
    if unfinished.count() >= MAX_UNFINISHED:
        raise TooManyUploads(why=f"The limit is {MAX_UNFINISHED} pending uploads per account.")
    limit = settings.UPLOAD_PENDING_MB
    if limit and unfinished.announced_bytes() + size > limit * MEGABYTE:
        raise TooManyUploads(why=f"With this file of {megabytes} MB, they exceed the {limit} MB of an account.")
    if engine or language:
        _check_engine(engine, language)
    options = {"engine": engine, "language": language, "saves_audio": audio, "is_multichannel": multichannel}
    upload = Upload(owner=owner, name=name, size=size, **options)
    with storage.reserving(upload):
        storage.create(upload)
        upload.save()
    return upload


def _resume(upload: Upload) -> Upload:
    with storage.reserving(upload):
        upload.seen_at = timezone.now()
        upload.save(update_fields=["seen_at"])
    return upload


def _check_engine(engine: str, language: str) -> None:
    """Reject unknown engines and languages; an upload would wait for them forever."""
    try:
        choose(async_to_sync(_engines)(), engine, language)
    except NoEngine:
        pass  # one may be available by the time the file is transcribed
    except ProtocolError as error:
        raise NoMatchingEngine(error.what, error.why) from None


async def _engines() -> dict[str, Status]:
    return await Link.current().workers.engines()


def add_part(upload: Upload, offset: str, size: int, part: storage.Readable) -> bool:
    """Store the `size` bytes that follow the first `offset`. False if `upload.received` is another offset.

    Raises `FileTooLarge`, `DiskFull`, and `Upload.DoesNotExist` if the upload was canceled.
    """
    if size > MAX_PART:
        raise FileTooLarge("The part is too large.", f"The limit is {MAX_PART} bytes.")
    storage.require_room(size)
    position = whole_number(offset)
    is_stored = position is not None and storage.append(upload, position, part)
    upload.refresh_from_db()
    if upload.state == Upload.State.WAITING:
        broadcast(uploads_topic())
    return is_stored


def accept_truncated(upload: Upload) -> None:
    """Have a truncated file transcribed as it is."""
    upload.accept_truncated()
    broadcast(uploads_topic())
    upload.refresh_from_db()


def cancel(upload: Upload) -> None:
    upload.cancel()
    storage.remove(upload)
    broadcast(uploads_topic())
