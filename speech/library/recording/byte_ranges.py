"""Parts of a file over HTTP, for a player that jumps about in it."""

import re
from collections.abc import AsyncIterator, Callable

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse

MAX_RANGE = 1 << 20
"""Bytes of one answer to a request for a part. Who wants more asks again; so a client that reads slowly, or is paused,
holds no more than this in memory."""

Read = Callable[[int, int], bytes]

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def range_response(request: HttpRequest, size: int, read: Read, content_type: str) -> HttpResponseBase:
    """The part that the request asks for, or all of it. `read(first, end)`: bytes from `first` to before `end`."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    if not wanted or not any(wanted.groups()):
        response: HttpResponseBase = StreamingHttpResponse(_all_of(size, read), content_type=content_type)
        response.headers["Content-Length"] = str(size)
    else:
        response = _part(*_bounds(wanted[1], wanted[2], size), size, read, content_type)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """From which byte to before which one: “2-3”, “2-” and “-2”, the last two, are asked for."""
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size


def _part(first: int, end: int, size: int, read: Read, content_type: str) -> HttpResponse:
    if first >= end:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    end = min(end, first + MAX_RANGE)
    headers = {"Content-Range": f"bytes {first}-{end - 1}/{size}"}
    return HttpResponse(read(first, end), status=206, content_type=content_type, headers=headers)


async def _all_of(size: int, read: Read) -> AsyncIterator[bytes]:
    for first in range(0, size, MAX_RANGE):
        yield await sync_to_async(read, thread_sensitive=False)(first, min(size, first + MAX_RANGE))
