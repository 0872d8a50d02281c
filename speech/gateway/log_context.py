"""Context of log lines: fields that are added to every line logged within, also in tasks started there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_context: ContextVar[dict[str, str]] = ContextVar("log_context", default={})  # noqa: B039  (replaced, never changed)


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """`log_context(user=…, stream=…)`"""
    token = _context.set(_context.get() | {name: str(value) for name, value in fields.items()})
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
