import pytest

from tests.support.clients.uploads import Sender, wait_until_nothing_is_left
from tests.support.servers.site import Site

CANCEL_ALL = """
from speech.models import Upload
from speech.uploads import service
for upload in Upload.objects.all(): service.cancel(upload)
"""


@pytest.fixture(scope="package")
def site(checksum_site: Site) -> Site:
    """The shared checksum site, without what tests of other packages have uploaded."""
    checksum_site.shell(CANCEL_ALL)
    wait_until_nothing_is_left(checksum_site)
    return checksum_site


@pytest.fixture(scope="package")
def sender(site: Site) -> Sender:
    return Sender(site)
