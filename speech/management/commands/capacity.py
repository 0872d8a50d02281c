"""How many streams the running site takes, by engine: how many run, how many are free, how many wait."""

import http.client
import json
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

ANSWERS_WITHIN = 10.0  # seconds
COLUMNS = ("name", "kind", "total", "used", "free", "waiting", "processes", "progress")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--url", help="of any of its web processes. Default: by HOST and PORT")
        parser.add_argument("--json", action="store_true", help="all that it tells, for programs")

    def handle(self, **options: Any) -> None:
        url = (options["url"] or f"http://{settings.HOST}:{settings.PORT}").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise CommandError(f"“{url}” is no address of a site; they begin with http:// or https://.")
        told = _ask(f"{url}/api/status")
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else _table(told["engines"]))


def _ask(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN) as answer:  # noqa: S310  (http or https)
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandError(f"No site answers at {url}: {error}. Does it run? --url names another address.") from None


def _table(engines: list[dict[str, Any]]) -> str:
    if not engines:
        return "No engine is there: start one with `manage.py inference`."
    rows = [COLUMNS, *([str(engine[column]) for column in COLUMNS] for engine in engines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
