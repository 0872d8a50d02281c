"""Receiving a file: the client announces it, sends it in consecutive parts, and then it waits to be transcribed.

A web server holds a whole request in memory, and connections break: so parts are small, and the client resends a lost
one from the offset that the server reports.
"""

import math
import re

from asgiref.sync import async_to_sync
from django.conf import settings

from accounts.models import User
from inference.messages import Status
from speech.errors import NoEngine, ProtocolError
from speech.gateway.broadcast import broadcast, uploads_topic
from speech.gateway.link import Link
from speech.gateway.slot_request import choose
from speech.models import Upload
from speech.text.whole_number import whole_number
from speech.uploads import storage
from speech.uploads.errors import EmptyFile, FileTooLarge, MissingHash, NoMatchingEngine, TooManyUploads

MAX_PART = 8 * 1024 * 1024  # bytes
MAX_UNFINISHED = 20
MEGABYTE = 1_000_000
SHA256 = re.compile(r"[0-9a-f]{64}")


def create_upload(
    owner: User,
    name: str,
    size: int,
    engine: str,
    language: str,
    audio: bool,
    multichannel: bool,
    fingerprint: str = "",
    client: str = "",
) -> Upload:
    """Reserve space for a file of `size` bytes, or resume an incomplete upload of the same recording. `audio`: save its
    audio. `multichannel`: one speaker per stereo channel.

    `fingerprint` identifies the recording by its content; without one, nothing is resumed: a name and a size are not
    enough. `client` is the page or program that sends: what another one is sending is not resumed, so that the same
    recording can be uploaded twice. The options are those of the latest request.

    Raises `UploadError`.
    """
    if not size:
        raise EmptyFile
    megabytes = math.ceil(size / MEGABYTE)
    if size > settings.UPLOAD_MAX_MB * MEGABYTE:
        raise FileTooLarge(why=f"The file is {megabytes} MB; the limit is {settings.UPLOAD_MAX_MB} MB.")
    if engine or language:
        _check_engine(engine, language)
    options: dict[str, str | bool] = {"name": name, "engine": engine, "language": language, "client": client}
    options |= {"saves_audio": audio, "is_multichannel": multichannel}
    unfinished = Upload.objects.of(owner).unfinished()
    if fingerprint:
        for incomplete in unfinished.resumable(size, fingerprint, client):
            if _resume(incomplete, options):
                return incomplete
    if unfinished.count() >= MAX_UNFINISHED:
        raise TooManyUploads(why=f"The limit is {MAX_UNFINISHED} pending uploads per account.")
    limit = settings.UPLOAD_PENDING_MB
    if limit and unfinished.announced_bytes() + size > limit * MEGABYTE:
        raise TooManyUploads(why=f"With this file of {megabytes} MB, they exceed the {limit} MB of an account.")
    upload = Upload(owner=owner, size=size, fingerprint=fingerprint, **options)
    with storage.reserving(upload):
        storage.create(upload)
        upload.save()
    return upload


def _resume(upload: Upload, options: dict[str, str | bool]) -> bool:
    with storage.reserving(upload):
        return upload.resume(**options)


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


def add_part(upload: Upload, offset: str, size: int, part: storage.Readable, sha256: str = "") -> bool:
    """Store the `size` bytes that follow the first `offset`. False if `upload.received` is another offset. `sha256`: of
    the whole file, required with its last part if the upload has a fingerprint.

    Raises `FileTooLarge`, `MissingHash`, `DiskFull`, and `Upload.DoesNotExist` if the upload was canceled.
    """
    if size > MAX_PART:
        raise FileTooLarge("The part is too large.", f"The limit is {MAX_PART} bytes.")
    storage.require_room(size)
    position, sha256 = whole_number(offset), sha256.lower()
    is_last = position is not None and position + size >= upload.size
    if not SHA256.fullmatch(sha256) and (sha256 or (is_last and upload.fingerprint)):
        raise MissingHash
    is_stored = position is not None and storage.append(upload, position, part, sha256)
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
