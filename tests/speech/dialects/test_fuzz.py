"""Random messages to every WebSocket; `python -m benchmarks.fuzz` sends more of them."""

import pytest

from benchmarks.fuzz import DIALECTS, fuzz

MESSAGES = 150
INTERNAL_ERROR = 1011


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbor does, in its own thread
@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS.keys())
def test_random_messages_cause_no_internal_error_and_affect_no_other_client(dialect, site, token):
    assert INTERNAL_ERROR not in fuzz(site, token, dialect, MESSAGES)
