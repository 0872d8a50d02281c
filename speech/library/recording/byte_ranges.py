"""HTTP range requests, for players that seek."""

import re
from collections.abc import AsyncIterator, Callable

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

MAX_RANGE = 1 << 20
"""Bytes of one partial response; the client requests the rest. So a slow or paused client holds no more than this in
the server's memory."""

Read = Callable[[int, int], bytes]

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def range_response(request: HttpRequest, size: int, read: Read, content_type: str) -> HttpResponseBase:
    """Respond with the requested range or the whole file. `read(first, end)`: bytes `first` to `end`, exclusive."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not match or not any(match.groups()):
        response: HttpResponseBase = StreamingHttpResponse(_whole(size, read), content_type=content_type)
        response.headers["Content-Length"] = str(size)
    else:
        response = _partial_response(*_bounds(match[1], match[2], size), size, read, content_type)
    response.headers["Accept-Ranges"] = "bytes"
    return response


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """First byte and end (exclusive) of the ranges “2-3”, “2-” and “-2”, the last two bytes."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _partial_response(first: int, end: int, size: int, read: Read, content_type: str) -> HttpResponse:
    if first >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    end = min(end, first + MAX_RANGE)
    headers = {"Content-Range": f"bytes {first}-{end - 1}/{size}"}
    return HttpResponse(read(first, end), status=206, content_type=content_type, headers=headers)


async def _whole(size: int, read: Read) -> AsyncIterator[bytes]:
    for first in range(0, size, MAX_RANGE):
        yield await sync_to_async(read, thread_sensitive=False)(first, min(size, first + MAX_RANGE))
