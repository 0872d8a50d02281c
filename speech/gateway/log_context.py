"""What log lines are about: said once, and told in every line that is logged meanwhile, in tasks begun within too."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039  (never changed, only replaced)


@contextmanager
def log_context(**what: object) -> Iterator[None]:
    """`about(user=…, stream=…)`"""
    token = _context.set(_context.get() | {name: str(value) for name, value in what.items()})
    try:
        yield
    finally:
        _context.reset(token)


class ContextFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _context.get().items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True
