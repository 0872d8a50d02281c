"""How many streams the running site takes, by engine: how many run, how many are free, how many wait."""

import http.client
import json
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

ANSWERS_WITHIN = 10.0  # seconds
COLUMNS = ("engine", "kind", "total", "used", "free", "waiting", "processes")


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
        if options["json"]:
            self.stdout.write(json.dumps(told, indent=2))
            return
        self.stdout.write("\n".join(_table(told["engines"])) or "No engine is there: start one with `manage.py inference`.")


def _ask(url: str) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=ANSWERS_WITHIN) as answer:  # noqa: S310  (http or https)
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise CommandError(f"No site answers at {url}: {error}. Does it run? --url names another address.") from None


def _table(engines: list[dict[str, Any]]) -> list[str]:
    if not engines:
        return []
    rows = [COLUMNS, *((one["label"], *(str(one[column]) for column in COLUMNS[1:])) for one in engines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return [line + (f"  ({one['note']})" if one and one["note"] else "") for line, one in zip(lines, [None, *engines], strict=True)]
