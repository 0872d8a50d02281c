"""Recent warnings, errors and recoveries of this process, each with a class and a severity, for the operations page.

A log call sets the class with `extra` (the record's field `error_class`, see the constants); without it the class is
"runtime". Code that cannot import this module writes the dict out.
"""

import logging
import time
from collections import deque
from typing import Literal

from inference.messages import LoggedError

MAX_ERRORS = 20
MAX_MESSAGE_LENGTH = 500
"""Characters of a message."""

ErrorClass = Literal["initialization", "runtime", "performance", "memory", "network", "validation"]
Extra = dict[str, str]
"""The `extra` of a log call."""

INITIALIZATION_ERROR: Extra = {"error_class": "initialization"}
RUNTIME_ERROR: Extra = {"error_class": "runtime"}
PERFORMANCE_ERROR: Extra = {"error_class": "performance"}
MEMORY_ERROR: Extra = {"error_class": "memory"}
NETWORK_ERROR: Extra = {"error_class": "network"}
VALIDATION_ERROR: Extra = {"error_class": "validation"}
RECOVERED: Extra = {"severity": "recovered"}
"""Severity of a recovery: the line is kept although its level is INFO. Combine it with a class: `NETWORK_ERROR | …`."""

MEMORY_EXCEPTIONS = {"MemoryError", "OutOfMemoryError"}
NETWORK_EXCEPTIONS = {"ConnectionError", "TimeoutError", "OperationalError", "InterfaceError"}
"""Names of exception classes: Python's, Redis's and the database's, whose packages this one does not import."""
LOGGER_CLASSES: dict[str, ErrorClass] = {"django.security": "validation"}
"""Classes of the lines that other packages log, by the beginning of the logger's name."""


def classify(error: BaseException) -> Extra:
    """The `extra` of a log call about an exception: memory, network or runtime."""
    if is_memory_error(error):
        return MEMORY_ERROR
    return NETWORK_ERROR if _has_class(error, NETWORK_EXCEPTIONS) else RUNTIME_ERROR


def is_memory_error(error: BaseException | None) -> bool:
    return _has_class(error, MEMORY_EXCEPTIONS)


def _has_class(error: BaseException | None, names: set[str]) -> bool:
    return any(base.__name__ in names for base in type(error).__mro__)


class RecentErrors(logging.Handler):
    """Keeps the last `MAX_ERRORS` of them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._errors: deque[LoggedError] = deque(maxlen=MAX_ERRORS)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "django.request" and record.levelno < logging.ERROR:
            return  # the request's fault: a page that is missing or forbidden
        severity = getattr(record, "severity", record.levelname.lower())
        if record.levelno < logging.WARNING and severity != RECOVERED["severity"]:
            return
        message = record.getMessage()[:MAX_MESSAGE_LENGTH]
        self._errors.append(LoggedError(record.created, class_of(record), severity, record.name, message))

    def latest(self) -> list[LoggedError]:
        return list(self._errors)


RECENT_ERRORS = RecentErrors()
"""The errors of this process, if its logging configuration includes this handler."""


def class_of(record: logging.LogRecord) -> str:
    if record.exc_info and isinstance(record.exc_info[1], MemoryError):
        return MEMORY_ERROR["error_class"]
    if error_class := getattr(record, "error_class", ""):
        return str(error_class)
    by_logger = (name for prefix, name in LOGGER_CLASSES.items() if record.name.startswith(prefix))
    return next(by_logger, RUNTIME_ERROR["error_class"])


class Outage:
    """Logs once that something is unavailable, however often it fails, and once that it is available again."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._since: float | None = None

    def record(self, error: BaseException) -> None:
        if self._since is None:
            self._since = time.monotonic()
            self._logger.warning("%s unavailable: %r", self._what, error, extra=NETWORK_ERROR)

    def recovered(self) -> None:
        if self._since is not None:
            duration = time.monotonic() - self._since
            self._logger.info("%s available again after %.1f s", self._what, duration, extra=NETWORK_ERROR | RECOVERED)
            self._since = None
