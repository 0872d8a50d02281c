"""Logging: text for humans or JSON for programs, on standard error or in a file."""

import json
import logging
import logging.handlers
import re
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from inference.observability.recent_errors import NETWORK_ERROR, RECENT_ERRORS
from speech.gateway.transient_errors import TRANSIENT_ERRORS

STYLES = ("compact", "pretty", "verbose", "json")
MAX_BYTES = 100 * 1024 * 1024
"""Size of a log file at which it is rotated, in bytes."""
MAX_FILES = 10
"""Number of rotated log files to keep."""
COLORS = {logging.DEBUG: "2", logging.INFO: "32", logging.WARNING: "33", logging.ERROR: "31", logging.CRITICAL: "1;31"}
SECRET_PATH = re.compile(r"(/shared/|/invited/|/key/|/confirm-email/)[^/\s]+")
CONTEXT_FIELDS = ("stream", "user")
"""Context of a log line. Code sets it with `extra` or, for everything it calls, `speech.gateway.log_context`."""


def configuration(style: str, file: str, level: str) -> dict[str, Any]:
    """Settings for `logging.config.dictConfig`. `level`: empty for INFO of the site's loggers and WARNING of others.

    Raises `ValueError` for an unknown style.
    """
    if style not in STYLES:
        raise ValueError(f"LOG_STYLE is “{style}”; it must be one of {', '.join(STYLES)}.")
    console = {"class": "logging.StreamHandler"}
    to_file = {"()": "dsm_site.logs.DailyFile", "path": file}
    handler = {**(to_file if file else console), "formatter": style, "filters": ["context", "secret path"]}
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
        "handlers": {"log": handler, "recent errors": {"()": "dsm_site.logs.recent_errors"}},
        "root": {"handlers": ["log", "recent errors"], "level": level or "WARNING"},
        "filters": {
            "context": {"()": "speech.gateway.log_context.ContextFilter"},
            "secret path": {"()": "dsm_site.logs.SecretPathFilter"},
            "traceback": {"()": "dsm_site.logs.TracebackFilter"},
            "duplicate error": {"()": "dsm_site.logs.DuplicateErrorFilter"},
        },
        "loggers": {
            **{name: {"level": level or "INFO"} for name in ("accounts", "speech", "inference", "webhooks")},
            "psycopg.pool": {"level": "ERROR"},  # it logs every failed attempt to reach the database
            "openai": {"level": "WARNING"},  # below, it logs what users said
            "twisted": {"level": "ERROR"},  # it logs every client that sends too much twice
            "asyncio": {"filters": ["duplicate error"]},
            "django.request": {"filters": ["traceback"]},
        },
    }


def recent_errors() -> logging.Handler:
    return RECENT_ERRORS


def default_style() -> str:
    return "pretty" if sys.stderr.isatty() else "compact"


class SecretPathFilter(logging.Filter):
    """Removes secrets from URL paths: a share link or invitation link in a log would grant access."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name.startswith("django."):
            record.msg, record.args = SECRET_PATH.sub(r"\1…", record.getMessage()), ()
        return True


class TracebackFilter(logging.Filter):
    """Removes tracebacks of denied requests and of outages, whose location in the code says nothing."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR:
            record.exc_info = None
        elif isinstance(error, TRANSIENT_ERRORS):
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {error!r}", None, None
            record.error_class = NETWORK_ERROR["error_class"]
        return True


class DuplicateErrorFilter(logging.Filter):
    """Drops asyncio's errors about tasks that channels_redis abandoned: callers of the layer log its outage."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], TRANSIENT_ERRORS))


class Line(logging.Formatter):
    def __init__(self, form: str) -> None:
        super().__init__(form, style="{")

    def formatMessage(self, record: logging.LogRecord) -> str:
        context = "".join(f" [{name} {value}]" for name, value in context_of(record).items())
        return super().formatMessage(record) + context


class Pretty(Line):
    """Lines for a terminal: time of day, level in color."""

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
    """One JSON object per line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **context_of(record),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def context_of(record: logging.LogRecord) -> dict[str, str]:
    return {name: str(value) for name in CONTEXT_FIELDS if (value := getattr(record, name, None))}


class DailyFile(logging.handlers.RotatingFileHandler):
    """A file that is rotated daily and when it gets too large."""

    def __init__(self, path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=MAX_FILES, encoding="utf-8")
        self._day = date.fromtimestamp(Path(path).stat().st_mtime)

    def shouldRollover(self, record: logging.LogRecord) -> bool:
        today = date.fromtimestamp(record.created)
        is_new_day, self._day = today != self._day, today
        return (is_new_day and Path(self.baseFilename).stat().st_size > 0) or bool(super().shouldRollover(record))
