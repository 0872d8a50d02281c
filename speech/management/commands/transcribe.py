"""Transcribe recordings that lie on this machine. Each becomes a session of an account, as if it had been uploaded; the
site, which has to run, does the work."""

import time
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from accounts.models import User
from speech.errors import StreamError
from speech.library.exports import FORMATS, Document, Options
from speech.models import Upload
from speech.uploads import service

AT_ONCE = 4
LOOKS_EVERY = 0.5  # seconds
NOBODY_AFTER = 20.0
"""Seconds after which it is said that nobody works on it."""


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("paths", nargs="+", metavar="FILE", help="or a folder with recordings")
        parser.add_argument("--account", metavar="EMAIL", help="whose sessions they become; else an administrator's")
        parser.add_argument("--engine", default="", help="which hears them; else the one that a page would get")
        parser.add_argument("--language", default="", help="a code, as en or de")
        parser.add_argument("--audio", action="store_true", help="keep their sound")
        parser.add_argument("--sides", action="store_true", help="they are stereo, with a speaker on each side")
        parser.add_argument("--format", choices=FORMATS, help="also write each transcript beside its file")

    def handle(self, paths: list[str], account: str | None, format: str | None, **options: Any) -> None:
        owner = _owner(account)
        wishes = {name: options[name] for name in ("engine", "language", "audio", "sides")}
        waiting, under_way, self._failed = deque(_files(paths)), dict[Path, Upload](), 0
        self._waits_since = time.monotonic()
        while waiting or under_way:
            while waiting and len(under_way) < AT_ONCE:
                file = waiting.popleft()
                if upload := self._send(owner, file, wishes):
                    under_way[file] = upload
            time.sleep(LOOKS_EVERY)
            under_way = {file: upload for file, upload in under_way.items() if not self._is_over(file, upload, format)}
            self._say_if_nobody_works(under_way)
        if self._failed:
            raise CommandError(f"{self._failed} of the recordings could not be transcribed.")

    def _send(self, owner: User, file: Path, wishes: dict[str, Any]) -> Upload | None:
        try:
            with file.open("rb") as recording:
                upload = service.create_upload(owner, file.name, file.stat().st_size, **wishes)
                while upload.received < upload.size:
                    recording.seek(upload.received)
                    rest = min(service.MAX_PART, upload.size - upload.received)
                    service.add_part(upload, str(upload.received), rest, recording)
        except OSError as error:
            self._fail(file, f"It cannot be read: {error.strerror}.")
        except StreamError as error:
            self._fail(file, str(error))
        else:
            return upload
        return None

    def _is_over(self, file: Path, upload: Upload, format: str | None) -> bool:
        try:
            upload.refresh_from_db()
        except Upload.DoesNotExist:
            self._fail(file, "It was cancelled.")
            return True
        if upload.state in (Upload.State.REFUSED, Upload.State.CUT):
            self._fail(file, " ".join((upload.problem or {}).values()))
        elif upload.state == Upload.State.DONE:
            self._tell(file, upload, format)
        return upload.state != Upload.State.WAITING

    def _tell(self, file: Path, upload: Upload, format: str | None) -> None:
        if upload.session is None:  # nothing could be said in it, or it was deleted
            self.stdout.write(f"{file}: no speech")
            return
        if format:
            with file.with_suffix(f".{format}").open("wb") as transcript:
                transcript.writelines(FORMATS[format].write(Document.of(upload.session), Options()))
        self.stdout.write(f"{file}: {settings.SITE_URL}{upload.session.get_absolute_url()}")

    def _fail(self, file: Path, why: str) -> None:
        self._failed += 1
        self.stderr.write(f"{file}: {why}")

    def _say_if_nobody_works(self, under_way: dict[Path, Upload]) -> None:
        if any(upload.worker for upload in under_way.values()):
            self._waits_since = time.monotonic()
        elif time.monotonic() - self._waits_since > NOBODY_AFTER:
            self._waits_since = float("inf")
            self.stderr.write("The recordings wait, and nobody takes them. Does the site run? (manage.py serve)")


def _owner(email: str | None) -> User:
    if email is None:
        admin = User.objects.admins().order_by("pk").first()
        if admin is None:
            raise CommandError("There is no account yet. Sign up at the site first, or name one: --account EMAIL.")
        return admin
    owner = User.objects.filter(email__iexact=email).first()
    if owner is None:
        raise CommandError(f"There is no account {email}. Sign it up first, or look for a typing error.")
    if not owner.is_approved:
        raise CommandError(f"{owner} is not approved. Approve the account first.")
    return owner


def _files(paths: list[str]) -> Iterator[Path]:
    for path in map(Path, paths):
        if path.is_dir():
            yield from (file for file in sorted(path.rglob("*")) if file.is_file() and _is_recording(file))
        else:
            yield path


def _is_recording(file: Path) -> bool:
    """By its name; a transcript may lie beside it."""
    kind = guess_type(file.name)[0] or ""
    return kind.startswith(("audio/", "video/")) and not file.name.startswith(".")
