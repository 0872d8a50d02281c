"""One site for all tests that leave it as they find it: to start one takes longer than most of them."""

import pytest

from tests.support.pages.page_actions import Crowd
from tests.support.servers.site import running_site


@pytest.fixture(scope="session")
def shared_site(tmp_path_factory):
    """With an engine whose words prove every sample, and one whose sounds prove every character."""
    env = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones", "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("shared"), **env) as site:
        yield site


@pytest.fixture(scope="session")
def crowd(shared_site):
    return Crowd(shared_site)
