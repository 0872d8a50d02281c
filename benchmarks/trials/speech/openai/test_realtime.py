"""What takes its time, or real processes that die, of tests/speech/openai/test_realtime.py."""

import asyncio

import openai
import pytest

from tests.speech.openai.test_realtime import config
from tests.support.api import access_to


async def test_a_secret_dies_with_the_token_it_was_made_from(access):
    other = access_to(access.site, "other@example.org")
    client = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=other.token, max_retries=0)
    secret = await client.realtime.client_secrets.create(session=config())
    access.site.shell("from accounts.models import Token; Token.objects.get(user__email='other@example.org').revoke()")
    browser = openai.AsyncOpenAI(base_url=f"{other.url}/v1", api_key=secret.value, max_retries=0)
    await asyncio.sleep(6)  # the two processes of this test have no cache in common
    with pytest.raises(openai.AuthenticationError):
        await browser.models.list()
