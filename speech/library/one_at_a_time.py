"""Expensive requests, one at a time for each account or session, so that those of one leave the process to others."""

import weakref
from collections.abc import AsyncIterator, Callable, Hashable
from threading import Lock
from typing import Any

from django.http import StreamingHttpResponse


class Busy(Exception):
    """Another one with this key is running in this process."""


class OneAtATime:
    def __init__(self) -> None:
        self._running: set[Hashable] = set()
        self._lock = Lock()

    def begin(self, key: Hashable) -> Callable[[], None]:
        """Return the function that ends it. Raises `Busy`."""
        with self._lock:
            if key in self._running:
                raise Busy
            self._running.add(key)
        return lambda: self._running.discard(key)


class ExclusiveResponse(StreamingHttpResponse):
    """A response that calls `end` once it is sent, or its client is gone."""

    def __init__(self, chunks: AsyncIterator[bytes], end: Callable[[], None], **options: Any) -> None:
        super().__init__(chunks, **options)
        self._end = weakref.finalize(self, end)  # Django closes no response of a request canceled in a middleware

    def close(self) -> None:
        super().close()
        self._end()
