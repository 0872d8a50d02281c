"""Random messages to every WebSocket; `python -m benchmarks.fuzz` sends more of them."""

import pytest

from benchmarks.fuzz import DIALECTS, fuzz
from speech.errors import CloseCode

MESSAGES = 150


@pytest.mark.filterwarnings("ignore:Do not use the `random` module")  # the neighbor does, in its own thread
def test_random_messages_cause_no_internal_error_and_affect_no_other_client(site, token):
    codes = fuzz(site, token, DIALECTS, MESSAGES)
    assert [name for name in DIALECTS if CloseCode.FAILED in codes[name]] == []
