from collections.abc import Iterator

import pytest

from tests.support.clients.uploads import Sender
from tests.support.servers.site import Site, running_site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site shared by all tests; the words of its engine prove every sample."""
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "4", "UPLOAD_MAX_MB": "100", "UPLOAD_MAX_HOURS": "0.05"}
    with running_site(tmp_path_factory.mktemp("uploads"), **env) as site:
        yield site


@pytest.fixture(scope="package")
def sender(site: Site) -> Sender:
    return Sender(site)
