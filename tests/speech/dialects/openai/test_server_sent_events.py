import asyncio
import json

from speech.dialects.openai.server_sent_events import event_stream_response
from speech.errors import NoEngine


async def test_an_error_is_the_last_event():
    async def events():
        yield {"type": "speech.audio.delta", "audio": ""}
        raise NoEngine

    response = event_stream_response(events())
    assert response.headers["Content-Type"] == "text/event-stream"
    first, last = [part.decode() async for part in response]
    assert first == 'data: {"type": "speech.audio.delta", "audio": ""}\n\n'
    error = json.loads(last.removeprefix("data: "))
    assert error["type"] == "error"
    assert error["error"]["type"] == "server_error"


async def test_the_events_are_closed_if_the_client_disconnects():
    has_started, is_closed = asyncio.Event(), False

    async def events():
        nonlocal is_closed
        try:
            yield {"type": "speech.audio.delta"}
            has_started.set()
            await asyncio.Event().wait()
        finally:
            is_closed = True

    async def send(response):
        async for _ in response:
            pass

    sending = asyncio.create_task(send(event_stream_response(events())))
    await has_started.wait()
    sending.cancel()
    await asyncio.wait([sending])
    assert is_closed
