"""List, search and download Piper voices."""

from functools import partial
from typing import Any

from django.core.management import BaseCommand, CommandError

from inference.engines.tts import piper_voices
from inference.engines.tts.piper_voices import FetchError
from inference.engines.tts.voice_licenses import offers_noncommercial

MEGABYTE = 1_000_000


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "fetch", nargs="*", metavar="NAME", help="voices to download, for example en_GB-alan-medium"
        )
        parser.add_argument(
            "--published",
            metavar="LANGUAGE",
            nargs="?",
            const="",
            help="list published voices, optionally for one language (fr)",
        )

    def handle(self, **options: Any) -> None:
        try:
            if options["published"] is not None:
                self._list_published(options["published"])
            elif options["fetch"]:
                self._fetch(options["fetch"])
            else:
                self._list_installed()
        except FetchError as error:
            raise CommandError(str(error)) from None

    def _list_installed(self) -> None:
        for file in piper_voices.installed():
            for voice in file.voices:
                left_out = " (left out)" if voice.is_noncommercial and not offers_noncommercial() else ""
                self.stdout.write(
                    f"{voice.name:32} {voice.language:8} {voice.description:30} {voice.license}{left_out}".rstrip()
                )
        self.stdout.write(f"Installed in {piper_voices.folder()}. List more with --published.")

    def _list_published(self, language: str) -> None:
        for name, voice in sorted(piper_voices.published().items()):
            if name.lower().startswith(language.lower()):
                size = sum(file["size_bytes"] for file in voice["files"].values())
                self.stdout.write(f"{name:32} {voice['language']['name_english']:20} {size // MEGABYTE:4} MB")

    def _fetch(self, names: list[str]) -> None:
        published = piper_voices.published()
        for name in names:
            piper_voices.fetch(name, published, partial(self._report_progress, name))
            self.stdout.write("")
        self.stdout.write("Restart the inference process to use them.")

    def _report_progress(self, name: str, downloaded: int, total: int) -> None:
        self.stdout.write(f"\r{name}: {downloaded // MEGABYTE} of {total // MEGABYTE} MB", ending="")
        self.stdout.flush()
