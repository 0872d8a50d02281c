"""Piper's voices: those that are here, those that are published, and those to fetch by name."""

from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.engines.tts import piper_voices
from inference.engines.tts.piper_voices import FetchError

MEGABYTE = 1_000_000


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("fetch", nargs="*", metavar="NAME", help="voices to fetch, as en_GB-alan-medium")
        parser.add_argument("--published", metavar="LANGUAGE", nargs="?", const="", help="list those to be had: of fr")

    def handle(self, **options: Any) -> None:
        try:
            if options["published"] is not None:
                self._list_published(options["published"])
            elif options["fetch"]:
                self._fetch(options["fetch"])
            else:
                self._list_found()
        except FetchError as error:
            raise CommandError(str(error)) from None

    def _list_found(self) -> None:
        for file in piper_voices.installed():
            for voice in file.voices:
                self.stdout.write(f"{voice.name:32} {voice.language:8} {voice.description}")
        self.stdout.write(f"They are in {piper_voices.folder()}; --published lists those to be had.")

    def _list_published(self, language: str) -> None:
        for name, about in sorted(piper_voices.published().items()):
            if name.lower().startswith(language.lower()):
                size = sum(file["size_bytes"] for file in about["files"].values())
                self.stdout.write(f"{name:32} {about['language']['name_english']:20} {size // MEGABYTE:4} MB")

    def _fetch(self, names: list[str]) -> None:
        listed = piper_voices.published()
        for name in names:
            piper_voices.fetch(name, listed, partial(self._tell, name))
            self.stdout.write("")
        self.stdout.write("The processes that speak know them when they are started again.")

    def _tell(self, name: str, here: int, total: int) -> None:
        self.stdout.write(f"\r{name}: {here // MEGABYTE} of {total // MEGABYTE} MB", ending="")
        self.stdout.flush()
