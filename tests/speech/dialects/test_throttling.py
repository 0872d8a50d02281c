"""How often an account's programs may come in, through whichever door."""

import pytest
import websockets

from tests.support.clients.api import access_to
from tests.support.clients.http import ask

pytestmark = pytest.mark.slow

BOUND = 4


async def test_all_doors_count_together_and_each_says_no_in_its_own_words(start_site):
    site = start_site(STT_ENGINE="checksum", API_REQUESTS_PER_MINUTE=str(BOUND))
    access, other = access_to(site), access_to(site, "other@example.org")
    socket = f"{site.url.replace('http', 'ws')}/ws/pcm"

    assert ask(site, "/api/v1/me/", **access.headers).status == 200
    assert ask(site, "/v1/models", **access.headers).status == 200
    async with websockets.connect(socket, additional_headers=access.headers):
        pass
    assert ask(site, "/v1/models", **access.headers).status == 200

    assert ask(site, "/api/v1/me/", **access.headers).status == 429
    openais = ask(site, "/v1/models", **access.headers)
    assert (openais.status, openais.json["error"]["type"]) == (429, "rate_limit_error")
    assert openais.json["error"]["message"].startswith("You ask too often. An account may ask 4 times a minute.")
    wait = openais.headers["Retry-After"]
    assert 0 < int(wait) <= 60
    assert f"Ask again in {wait} s." in openais.json["error"]["message"]
    deepgrams = ask(site, "/v1/listen", b"", **access.headers)
    assert (deepgrams.status, deepgrams.json["err_code"]) == (429, "TOO_MANY_REQUESTS")
    kyutais = ask(site, "/api/asr-streaming", b"", **access.headers)
    assert (kyutais.status, b"Ask again in" in kyutais.body) == (429, True)
    with pytest.raises(websockets.InvalidStatus):
        await websockets.connect(socket, additional_headers=access.headers)

    assert ask(site, "/v1/models", **other.headers).status == 200
