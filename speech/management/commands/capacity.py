"""Show capacity by engine: streams running, free and waiting."""

import http.client
import json
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

TIMEOUT = 10.0  # seconds
COLUMNS = ("name", "kind", "total", "used", "free", "waiting", "processes", "progress")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--url", help="URL of a web process (default: from HOST and PORT)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, **options: Any) -> None:
        url = (options["url"] or f"http://{settings.HOST}:{settings.PORT}").rstrip("/")
        if not url.startswith(("http://", "https://")):
            raise CommandError(f"Invalid URL “{url}”: it must start with http:// or https://.")
        status = _fetch(f"{url}/api/status")
        self.stdout.write(json.dumps(status, indent=2) if options["json"] else _table(status["engines"]))


def _fetch(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310  (http or https)
            status: dict[str, Any] = json.load(response)
            return status
    except (OSError, http.client.HTTPException, ValueError) as error:
        message = f"No response from {url}: {error}. Is the site running? Use --url for another address."
        raise CommandError(message) from None


def _table(engines: list[dict[str, Any]]) -> str:
    if not engines:
        return "No engines running. Start one with `manage.py inference`."
    rows = [COLUMNS, *([str(engine[column]) for column in COLUMNS] for engine in engines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
