"""Restore a backup. Stop the site first; users must log in again afterwards."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, call_command

from operations.backups import BackupError, restore


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="a file created by `backup`")
        parser.add_argument("--replace", action="store_true", help="discard the site's current data")

    def handle(self, file: Path, replace: bool, **options: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        try:
            rows = restore(file, replace)
        except BackupError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Restored {rows:,} rows and the recordings. You can start the site now.")
