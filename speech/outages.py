"""What is away for a moment, the database or Redis, is no bug: it is told in a line, and comes back."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

OUTAGES = (OperationalError, InterfaceError, RedisConnectionError, RedisTimeoutError)
RETRY_AFTER = 5  # seconds


def server_error(request: HttpRequest) -> HttpResponse:
    """The page for what went wrong inside. Neither template asks the database for anything."""
    if isinstance(sys.exception(), OUTAGES):
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return HttpResponse(render_to_string("500.html"), status=500)


class NeedlessTracebacks(logging.Filter):
    """Takes them away: where in the code a visitor was denied a page, or the database was missed, is no news."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno < logging.ERROR:
            record.exc_info = None
        elif isinstance(error, OUTAGES):
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {error!r}", None, None
        return True


class ToldElsewhere(logging.Filter):
    """Drops what asyncio says of tasks that channels_redis left alone: whoever uses the layer tells that it is away."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], OUTAGES))
