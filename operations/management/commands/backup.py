"""Back up the site while it runs: its database, recordings and keys, in one file that `restore` puts back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from operations.backups import back_up, delete_old


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="where the file goes; only you can read it")
        parser.add_argument("--keep", type=int, default=0, help="so many of the folder's backups, the newest; 0: all")

    def handle(self, folder: Path, keep: int, **options: Any) -> None:
        try:
            path = back_up(folder)
            if keep > 0:
                delete_old(folder, keep)
        except OSError as error:
            raise CommandError(f"There is no backup: {error}. Is there room, and may it write to {folder}?") from error
        self.stdout.write(f"{path}: {path.stat().st_size / 1e6:,.1f} MB")
