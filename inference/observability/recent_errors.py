"""What went wrong lately in this process, and what recovered: its warnings and errors, in classes, each with how bad it
is. The log says the same, with tracebacks; this is what an overview shows."""

import logging
import time
from collections import deque
from collections.abc import Iterable

from inference.messages import LoggedError

MAX_ERRORS = 20
MAX_MESSAGE_LENGTH = 500
"""Characters of a message."""

INITIALISATION, RUNTIME, PERFORMANCE, MEMORY, NETWORK, VALIDATION = (
    *("initialisation", "runtime", "performance", "memory"),
    *("network", "validation"),
)
OF_MESSAGES = (
    (MEMORY, ("out of memory", "MemoryError", "no room", "disk is nearly full")),
    (INITIALISATION, ("cannot be loaded", "cannot run here", "downloading", "not installed", "starting it again")),
    (INITIALISATION, ("is up again",)),
    (NETWORK, ("is away", "does not answer", "ConnectionError", "couldn't get a connection", "were lost on the way")),
    (NETWORK, ("is back after", "is stored again", "is silent for")),
    (PERFORMANCE, ("did not end in", "gave no answer in", "no word for long", "slow")),
    (VALIDATION, ("is refused", "not valid", "was not read")),
)
"""What a message has in it that tells its class, the first that fits."""
RECOVERED = {"severity": "recovered"}
"""The `extra` of a line that tells a recovery."""


class RecentErrors(logging.Handler):
    """Keeps the last of them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._errors: deque[LoggedError] = deque(maxlen=MAX_ERRORS)

    def emit(self, record: logging.LogRecord) -> None:
        if record.name == "django.request" and record.levelno < logging.ERROR:
            return  # somebody asked for what there is not, or may not have it
        severity = getattr(record, "severity", record.levelname.lower())
        if record.levelno < logging.WARNING and severity != RECOVERED["severity"]:
            return
        message = record.getMessage()[:MAX_MESSAGE_LENGTH]
        self._errors.append(LoggedError(record.created, class_of(record, message), severity, record.name, message))

    def latest(self) -> list[LoggedError]:
        return list(self._errors)


RECENT_ERRORS = RecentErrors()
"""Of this process, where logging is set up to tell it."""


def class_of(record: logging.LogRecord, message: str) -> str:
    if record.exc_info and isinstance(record.exc_info[1], MemoryError):
        return MEMORY
    return next((name for name, signs in OF_MESSAGES if _has_any(message, signs)), RUNTIME)


def _has_any(message: str, signs: Iterable[str]) -> bool:
    return any(sign.lower() in message.lower() for sign in signs)


class Outage:
    """Tells that something is away once, however often it fails, and when it is back."""

    def __init__(self, logger: logging.Logger, what: str) -> None:
        self._logger = logger
        self._what = what
        self._since: float | None = None

    def record(self, error: BaseException) -> None:
        if self._since is None:
            self._since = time.monotonic()
            self._logger.warning("%s is away: %r", self._what, error)

    def recovered(self) -> None:
        if self._since is not None:
            away = time.monotonic() - self._since
            self._logger.info("%s is back after %.1f s", self._what, away, extra=RECOVERED)
            self._since = None
