"""Delete expired sessions and audio, and purge recently deleted sessions. Run it daily; the site can keep running."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import BaseCommand

from speech.library.recording import Recording
from speech.library.recording.compression import compress
from speech.models import Session


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only show what would be deleted")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        due = list(Session.objects.expired().only("id", "title", "opening"))
        audio_due = list(Session.objects.with_expired_audio().exclude(pk__in=[session.pk for session in due]))
        self.stdout.write(f"{len(due)} sessions and the audio of {len(audio_due)} others are due for deletion.")
        if dry_run:
            return
        for session in due:  # one by one, so that streams don't wait for a long transaction
            session.delete()
        for session in audio_due:
            session.delete_audio()
        compressed, orphans = self._compress_remaining(), self._remove_orphans()
        self.stdout.write(f"Deleted. {compressed} recordings compressed, {orphans} orphaned files removed.")

    def _compress_remaining(self) -> int:
        """Compress recordings that a restart left uncompressed."""
        remaining = [pk for pk in _ended_with_audio() if not Recording(pk).flac and Recording(pk).samples]
        for pk in remaining:
            compress(pk)
        return len(remaining)

    def _remove_orphans(self) -> int:
        folders = {path.name: path for path in Path(settings.AUDIO_DIR).glob("*/*") if path.is_dir()}
        known = {str(pk) for pk in Session.objects.values_list("pk", flat=True).iterator()}
        orphans = [name for name in folders if name not in known]
        for name in orphans:
            Recording(name).remove()
        return len(orphans)


def _ended_with_audio() -> list[UUID]:
    return list(Session.objects.ended().filter(saves_audio=True).values_list("pk", flat=True))
