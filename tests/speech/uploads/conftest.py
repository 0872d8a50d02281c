import pytest

from tests.support.clients.uploads import Sender
from tests.support.servers.site import Site
from tests.support.servers.site_fixture import site_fixture

UPLOAD_SITE = {"STT_ENGINE": "checksum", "STT_SLOTS": "4", "UPLOAD_MAX_MB": "100"}

site = site_fixture("package", **UPLOAD_SITE, UPLOAD_MAX_HOURS="0.05")


@pytest.fixture(scope="package")
def sender(site: Site) -> Sender:
    return Sender(site)
