"""Messages that make little sense, to every kind of socket; `python -m benchmarks.fuzz` sends more of them."""

import pytest

from benchmarks.fuzz import DIALECTS, ENOUGH_FOR, fuzz
from tests.support.clients.tokens import issue_token
from tests.support.servers.site import running_site

MESSAGES = 300
INTERNAL_ERROR = 1011


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), **ENOUGH_FOR) as site:
        yield site


@pytest.fixture(scope="module")
def token(site):
    return issue_token(site)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbour does, in its own thread
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_nonsense_breaks_nothing_and_disturbs_nobody(dialect, site, token):
    assert INTERNAL_ERROR not in fuzz(site, token, dialect, MESSAGES)
