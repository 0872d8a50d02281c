"""What a streamed response sends, collected."""

from asgiref.sync import async_to_sync
from django.http import HttpResponseBase, StreamingHttpResponse


def body(response: HttpResponseBase) -> bytes:
    assert isinstance(response, StreamingHttpResponse)
    assert response.status_code == 200

    async def collect() -> bytes:
        return b"".join([piece async for piece in response])

    return async_to_sync(collect)()
