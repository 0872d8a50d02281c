import pytest

from tests.support.servers.site import Site


@pytest.fixture
def site(checksum_site: Site) -> Site:
    """The shared checksum site; tests that change its state have their own."""
    return checksum_site


@pytest.fixture
def token(checksum_token: str) -> str:
    """An API token for the shared checksum site."""
    return checksum_token
