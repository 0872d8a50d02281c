"""Back up the running site (database, recordings and keys) into one file for `restore`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from operations.backups import back_up, delete_old


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="target folder; the file is readable only by you")
        parser.add_argument("--keep", type=int, default=0, help="keep only this many newest backups; 0: all")

    def handle(self, folder: Path, keep: int, **options: Any) -> None:
        try:
            path = back_up(folder)
            if keep > 0:
                delete_old(folder, keep)
        except OSError as error:
            raise CommandError(f"Backup failed: {error}. Check free space and write access to {folder}.") from error
        self.stdout.write(f"{path}: {path.stat().st_size / 1e6:,.1f} MB")
