"""One rate limit for all API requests of an account's programs, in every protocol."""

import pytest
import websockets

from tests.support.clients.api import access_to
from tests.support.clients.http import request

pytestmark = pytest.mark.slow

LIMIT = 4


async def test_all_protocols_share_one_limit_and_each_has_its_own_error_format(start_site):
    site = start_site(STT_ENGINE="checksum", API_REQUESTS_PER_MINUTE=str(LIMIT))
    access, other = access_to(site), access_to(site, "other@example.org")
    socket = f"{site.url.replace('http', 'ws')}/ws/pcm"

    assert request(site, "/api/v1/me/", **access.headers).status == 200
    assert request(site, "/v1/models", **access.headers).status == 200
    async with websockets.connect(socket, additional_headers=access.headers):
        pass
    assert request(site, "/v1/models", **access.headers).status == 200

    assert request(site, "/api/v1/me/", **access.headers).status == 429
    openai = request(site, "/v1/models", **access.headers)
    assert (openai.status, openai.json["error"]["type"]) == (429, "rate_limit_error")
    assert openai.json["error"]["message"].startswith("Too many requests. The limit is 4 requests per minute")
    wait = openai.headers["Retry-After"]
    assert 0 < int(wait) <= 60
    assert f"Retry in {wait} s." in openai.json["error"]["message"]
    deepgram = request(site, "/v1/listen", b"", **access.headers)
    assert (deepgram.status, deepgram.json["err_code"]) == (429, "TOO_MANY_REQUESTS")
    kyutai = request(site, "/api/asr-streaming", b"", **access.headers)
    assert (kyutai.status, b"Retry in" in kyutai.body) == (429, True)
    with pytest.raises(websockets.InvalidStatus, match="429"):
        await websockets.connect(socket, additional_headers=access.headers)

    assert request(site, "/v1/models", **other.headers).status == 200
