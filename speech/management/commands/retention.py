"""Deletes what is due: sessions and sounds whose time is over, and what was deleted long enough ago. Let it run every
day; it may run while the site does."""

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
        parser.add_argument("--dry-run", action="store_true", help="only tell what is due")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        due = list(Session.objects.expired().only("id", "title", "opening"))
        without_sound = list(Session.objects.with_expired_audio().exclude(pk__in=[session.pk for session in due]))
        self.stdout.write(f"{len(due)} sessions, and the sound of {len(without_sound)} others, are due.")
        if dry_run:
            return
        for session in due:  # one by one: streams wait for no long transaction
            session.delete()
        for session in without_sound:
            session.delete_audio()
        packed, strays = self._pack_the_rest(), self._remove_strays()
        self.stdout.write(f"Deleted. {packed} recordings were compressed, {strays} that belonged to nobody removed.")

    def _pack_the_rest(self) -> int:
        """Those that a restart left as they were recorded."""
        left = [pk for pk in _over_with_sound() if not Recording(pk).flac and Recording(pk).samples]
        for pk in left:
            compress(pk)
        return len(left)

    def _remove_strays(self) -> int:
        folders = {path.name: path for path in Path(settings.AUDIO_DIR).glob("*/*") if path.is_dir()}
        known = {str(pk) for pk in Session.objects.values_list("pk", flat=True).iterator()}
        strays = [name for name in folders if name not in known]
        for name in strays:
            Recording(name).remove()
        return len(strays)


def _over_with_sound() -> list[UUID]:
    return list(Session.objects.ended().filter(saves_audio=True).values_list("pk", flat=True))
