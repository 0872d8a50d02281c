"""One site and one Chromium for all tests that can share them, because starting them takes longer than most tests."""

import pytest

from tests.support.pages.browser import Browsers
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


@pytest.fixture(scope="session")
def browsers():
    with Browsers() as browsers:
        yield browsers


@pytest.fixture
def open_page(browsers, start_site):
    """The `open_page` of all tests, in a Chromium that its tests share."""
    yield browsers.open
    browsers.close_pages()
    browsers.assert_no_problems()
