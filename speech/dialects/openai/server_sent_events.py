"""Streamed responses in the format of OpenAI's API: server-sent events without names, each a JSON object."""

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from django.http import StreamingHttpResponse

from speech.dialects.openai.errors import error_body
from speech.errors import InternalError, StreamError

logger = logging.getLogger(__name__)

STREAM_HEADERS = {"X-Accel-Buffering": "no"}
"""Headers of a streamed response, so that neither a cache nor a proxy holds it back."""

Event = dict[str, Any]


def event_stream_response(events: AsyncGenerator[Event]) -> StreamingHttpResponse:
    """Send each event as it comes. An error ends the response with an error event."""
    return StreamingHttpResponse(_encoded(events), content_type="text/event-stream", headers=STREAM_HEADERS)


async def _encoded(events: AsyncGenerator[Event]) -> AsyncGenerator[bytes]:
    async with aclosing(events):
        try:
            async for event in events:
                yield _encode(event)
        except StreamError as error:
            yield _error_event(error)
        except Exception:
            logger.exception("unexpected error in a streamed response")
            yield _error_event(InternalError())


def _error_event(error: StreamError) -> bytes:
    return _encode({"type": "error", "error": error_body(error)})


def _encode(event: Event) -> bytes:
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
