"""One site for all tests that can share it, because starting a site takes longer than most of them."""

import pytest

from tests.support.pages.page_actions import ApprovedUsers
from tests.support.servers.site import running_site


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory):
    """A site whose STT words identify every audio sample, and whose TTS audio identifies every character."""
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("shared"), **env) as site:
        yield site


@pytest.fixture(scope="session")
def users(shared_site):
    return ApprovedUsers(shared_site)
