"""Fixtures of the upload tests, on a site that accepts longer files."""

from collections.abc import Iterator

import pytest

from tests.support.servers.site import Site, running_site


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "4", "UPLOAD_MAX_MB": "100", "UPLOAD_MAX_HOURS": "0.5"}
    with running_site(tmp_path_factory.mktemp("uploads"), **env) as site:
        yield site
