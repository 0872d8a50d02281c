"""Transcribe local recordings. Each becomes a session, as if uploaded. The site must be running."""

import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from accounts.models import User
from speech.errors import StreamError
from speech.library.exports import FORMATS, Document, Options
from speech.models import Upload
from speech.uploads import service
from speech.uploads.errors import TooManyUploads

MAX_CONCURRENT = 4
POLL_INTERVAL = 0.5  # seconds
IDLE_WARNING_AFTER = 20.0
"""Seconds without any process working on the uploads after which the command prints a warning."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="FILE", help="file or folder")
        parser.add_argument(
            "--account", metavar="EMAIL", help="account that gets the sessions (default: an administrator)"
        )
        parser.add_argument("--engine", default="", help="engine (default: as on the Upload page)")
        parser.add_argument("--language", default="", help="language code, for example en or de")
        parser.add_argument("--audio", action="store_true", help="save the audio")
        parser.add_argument("--multichannel", action="store_true", help="one speaker per stereo channel")
        parser.add_argument("--format", choices=FORMATS, help="also write each transcript next to its file")

    def handle(self, paths: list[str], account: str | None, format: str | None, **options: Any) -> None:
        owner = _owner(account)
        upload_options = {name: options[name] for name in ("engine", "language", "audio", "multichannel")}
        waiting, running, self._failed = deque(_files(paths)), dict[Path, Upload](), 0
        self._idle_since = time.monotonic()
        while waiting or running:
            while waiting and len(running) < MAX_CONCURRENT:
                file = waiting.popleft()
                try:
                    if upload := self._upload(owner, file, upload_options):
                        running[file] = upload
                except TooManyUploads as error:
                    if running:  # their end makes room
                        waiting.appendleft(file)
                        break
                    self._fail(file, str(error))
            time.sleep(POLL_INTERVAL)
            running = {file: upload for file, upload in running.items() if not self._is_over(file, upload, format)}
            self._warn_if_idle(running)
        if self._failed:
            raise CommandError(f"{self._failed} recordings couldn't be transcribed.")

    def _upload(self, owner: User, file: Path, options: dict[str, Any]) -> Upload | None:
        try:
            with file.open("rb") as recording:
                upload = service.create_upload(owner, file.name, file.stat().st_size, **options)
                try:
                    _send(upload, recording)
                except BaseException:
                    service.cancel(upload)
                    raise
        except OSError as error:
            self._fail(file, f"Can't read it: {error.strerror}.")
        except TooManyUploads:
            raise
        except StreamError as error:
            self._fail(file, str(error))
        else:
            return upload
        return None

    def _is_over(self, file: Path, upload: Upload, format: str | None) -> bool:
        try:
            upload.refresh_from_db()
        except Upload.DoesNotExist:
            self._fail(file, "Canceled.")
            return True
        if upload.state in (Upload.State.FAILED, Upload.State.TRUNCATED):
            self._fail(file, " ".join((upload.problem or {}).values()))
        elif upload.state == Upload.State.DONE:
            self._report(file, upload, format)
        return upload.state != Upload.State.WAITING

    def _report(self, file: Path, upload: Upload, format: str | None) -> None:
        if upload.session is None:  # it had no speech, or was deleted
            self.stdout.write(f"{file}: no speech")
            return
        if format:
            with file.with_suffix(f".{format}").open("wb") as transcript:
                transcript.writelines(FORMATS[format].write(Document.of(upload.session), Options()))
        self.stdout.write(f"{file}: {settings.SITE_URL}{upload.session.get_absolute_url()}")

    def _fail(self, file: Path, why: str) -> None:
        self._failed += 1
        self.stderr.write(f"{file}: {why}")

    def _warn_if_idle(self, running: dict[Path, Upload]) -> None:
        if any(upload.worker for upload in running.values()):
            self._idle_since = time.monotonic()
        elif time.monotonic() - self._idle_since > IDLE_WARNING_AFTER:
            self._idle_since = float("inf")
            self.stderr.write(
                "The recordings are queued but not being processed. Is the site running (manage.py serve)?"
            )


def _send(upload: Upload, recording: IO[bytes]) -> None:
    """Raises `OSError` if the file is shorter than it was, or can't be read."""
    while upload.state == Upload.State.UPLOADING:
        recording.seek(start := upload.received)
        service.add_part(upload, str(start), min(service.MAX_PART, upload.size - start), recording)
        if upload.received == start:
            raise OSError(None, "it became shorter while it was read")


def _owner(email: str | None) -> User:
    if email is None:
        admin = User.objects.admins().order_by("pk").first()
        if admin is None:
            raise CommandError("No accounts yet. Sign up first, or use --account EMAIL.")
        return admin
    owner = User.objects.filter(email__iexact=email).first()
    if owner is None:
        raise CommandError(f"No account {email}. Sign up first, or check the spelling.")
    if not owner.is_approved:
        raise CommandError(f"{owner} isn't approved. Approve the account first.")
    return owner


def _files(paths: list[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _is_recording(file))
        else:
            yield path


def _is_recording(file: Path) -> bool:
    """Whether its name is that of a recording; transcripts may be in the same folder."""
    kind = guess_type(file.name)[0] or ""
    return kind.startswith(("audio/", "video/")) and not file.name.startswith(".")
