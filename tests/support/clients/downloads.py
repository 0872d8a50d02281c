"""Body of a streamed response."""

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase, StreamingHttpResponse


def body(response: HttpResponseBase) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    assert response.status_code == 200

    async def collect() -> bytes:
        return b"".join([chunk async for chunk in response])

    return async_to_sync(collect)()
