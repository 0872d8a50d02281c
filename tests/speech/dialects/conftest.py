import pytest

from tests.support.servers.site import Site
from tests.support.servers.site_fixture import site_fixture

site_with_one_slot = site_fixture(
    "package", STT_ENGINE="checksum", STT_SLOTS="1", TTS_ENGINE="tones", TTS_SLOTS="1", STREAMS_PER_USER="5"
)


@pytest.fixture
def site(checksum_site: Site) -> Site:
    """The shared checksum site; tests that change its state have their own."""
    return checksum_site


@pytest.fixture
def token(checksum_token: str) -> str:
    """An API token for the shared checksum site."""
    return checksum_token
