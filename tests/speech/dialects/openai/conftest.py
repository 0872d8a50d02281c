"""OpenAI's official client, connected to a site."""

import openai
import pytest

from tests.support.clients.api import Access, access_to
from tests.support.servers.site import Site


@pytest.fixture(scope="module")
def access(checksum_site: Site) -> Access:
    return access_to(checksum_site, "openai@example.org")


@pytest.fixture
def client(access: Access) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{access.url}/v1", api_key=access.token, max_retries=0)
