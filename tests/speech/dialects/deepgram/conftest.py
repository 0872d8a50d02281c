"""Deepgram's official client, connected to a site."""

import pytest
from deepgram import DeepgramClient, DeepgramClientEnvironment

from tests.support.clients.api import Access, access_to
from tests.support.servers.site import Site


@pytest.fixture(scope="module")
def access(checksum_site: Site) -> Access:
    return access_to(checksum_site, "deepgram@example.org")


def client_of(access: Access) -> DeepgramClient:
    socket = access.url.replace("http", "ws")
    environment = DeepgramClientEnvironment(base=access.url, production=socket, agent=socket, agent_rest=access.url)
    return DeepgramClient(api_key=access.token, environment=environment)


@pytest.fixture
def client(access: Access) -> DeepgramClient:
    return client_of(access)
