"""Random messages to every WebSocket; `python -m benchmarks.fuzz` sends more of them."""

import pytest

from benchmarks.fuzz import DIALECTS, SITE_SETTINGS, fuzz
from tests.support.clients.tokens import issue_token
from tests.support.servers.site_fixture import site_fixture

MESSAGES = 300
INTERNAL_ERROR = 1011


site = site_fixture("module", **SITE_SETTINGS)


@pytest.fixture(scope="module")
def token(site):
    return issue_token(site)


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbor does, in its own thread
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_random_messages_cause_no_internal_error_and_affect_no_other_client(dialect, site, token):
    assert INTERNAL_ERROR not in fuzz(site, token, dialect, MESSAGES)
