"""How log lines look and where they go: a style for people or JSON for programs, on standard error or in a file."""

import json
import logging
import logging.handlers
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from inference.observability.recent_errors import RECENT_ERRORS
from speech.gateway.transient_errors import TRANSIENT_ERRORS

STYLES = ("compact", "pretty", "verbose", "json")
MAX_BYTES = 100 * 1024 * 1024
"""Bytes of a log file."""
MAX_FILES = 10
"""Log files before the one that is written."""
COLORS = {logging.DEBUG: "2", logging.INFO: "32", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
SECRET_PATH = re.compile(r"(/shared/|/invited/|/key/|/confirm-email/)[^/\s]+")
CONTEXT_FIELDS = ("stream", "user")
"""What a line may be about. Code tells it by `extra`, or `speech.gateway.log_context` for all that it calls."""


def configuration(style: str, file: str, level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`. `level`: empty for INFO of the site's own parts, and WARNING of all else.

    Raises `ValueError` if there is no such style.
    """
    if style not in STYLES:
        raise ValueError(f"LOG_STYLE is “{style}”, and should be one of {', '.join(STYLES)}.")
    console = {"class": "logging.StreamHandler"}
    to_file = {"()": "dsm_site.logs.DailyFile", "path": file}
    handler = {**(to_file if file else console), "formatter": style, "filters": ["in context", "no secret path"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "compact": {"()": "dsm_site.logs.Line", "form": "{asctime} {levelname} {name}: {message}"},
            "pretty": {"()": "dsm_site.logs.Pretty"},
            "verbose": {
                "()": "dsm_site.logs.Line",
                "form": "{asctime} {levelname} {process} {name} {pathname}:{lineno} {funcName}: {message}",
            },
            "json": {"()": "dsm_site.logs.Json"},
        },
        "handlers": {"log": handler, "faults": {"()": "dsm_site.logs.recent_errors"}},
        "root": {"handlers": ["log", "faults"], "level": level or "WARNING"},
        "filters": {
            "in context": {"()": "speech.gateway.log_context.ContextFilter"},
            "no secret path": {"()": "dsm_site.logs.SecretPathFilter"},
            "no needless traceback": {"()": "dsm_site.logs.TracebackFilter"},
            "told elsewhere": {"()": "dsm_site.logs.DuplicateErrorFilter"},
        },
        "loggers": {
            **{name: {"level": level or "INFO"} for name in ("accounts", "speech", "inference", "webhooks")},
            "psycopg.pool": {"level": "ERROR"},  # it tells every attempt to reach a database that is away
            "twisted": {"level": "ERROR"},  # it tells twice of every client that sends too much at once
            "asyncio": {"filters": ["told elsewhere"]},
            "django.request": {"filters": ["no needless traceback"]},
        },
    }


def recent_errors() -> logging.Handler:
    return RECENT_ERRORS


def default_style() -> str:
    return "pretty" if sys.stderr.isatty() else "compact"


class SecretPathFilter(logging.Filter):
    """Who knows the address of what is shared may see it, so no log tells it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django."):
            record.msg, record.args = SECRET_PATH.sub(r"\1…", record.getMessage()), ()
        return True


class TracebackFilter(logging.Filter):
    """Takes them away: where in the code a visitor was denied a page, or the database was missed, is no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR:
            record.exc_info = None
        elif isinstance(error, TRANSIENT_ERRORS):
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {error!r}", None, None
        return True


class DuplicateErrorFilter(logging.Filter):
    """Drops what asyncio says of tasks that channels_redis left alone: whoever uses the layer tells that it is away."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], TRANSIENT_ERRORS))


class Line(logging.Formatter):
    def __init__(self, form: str) -> None:
        super().__init__(form, style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        about = "".join(f" [{name} {value}]" for name, value in context_of(record).items())
        return super().formatMessage(record) + about


class Pretty(Line):
    """For a terminal: the time of day, and colour for what matters."""

    def __init__(self) -> None:
        super().__init__("\033[2m{asctime}\033[0m {levelname:8} \033[2m{name}\033[0m {message}")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{datetime.fromtimestamp(record.created):%H:%M:%S}"

    def formatMessage(self, record: logging.LogRecord) -> str:
        level = record.levelname
        record.levelname = f"\033[{COLORS.get(record.levelno, '0')}m{level:8}\033[0m"
        try:
            return super().formatMessage(record)
        finally:
            record.levelname = level


class Json(logging.Formatter):
    """One object a line."""

    def format(self, record: logging.LogRecord) -> str:
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **context_of(record),
        }
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def context_of(record: logging.LogRecord) -> dict[str, str]:
    return {name: str(value) for name in CONTEXT_FIELDS if (value := getattr(record, name, None))}


class DailyFile(logging.handlers.RotatingFileHandler):
    """Another file every day, and when it gets too large."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=MAX_FILES, encoding="utf-8")
        self._day = date.fromtimestamp(Path(path).stat().st_mtime)

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        today = date.fromtimestamp(record.created)
        is_new_day, self._day = today != self._day, today
        return (is_new_day and Path(self.baseFilename).stat().st_size > 0) or bool(super().shouldRollover(record))
