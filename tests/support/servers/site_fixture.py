"""Fixtures of sites that several tests share, because starting a site takes longer than most tests."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest

from tests.support.servers.site import Site, running_site


def site_fixture(scope: Literal["session", "package", "module"], **env: str) -> Callable[..., Site]:
    """Create a fixture: one process with these environment variables, shared by all tests of the scope.

    Its name is the name that it is assigned to.
    """

    @pytest.fixture(scope=scope)
    def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
        with running_site(tmp_path_factory.mktemp("site"), **env) as site:
            yield site

    return site
