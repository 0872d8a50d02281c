import pytest

from speech.llm import discovery
from speech.llm.client import LATEST_CALLS, REJECTED_PARAMETERS


@pytest.fixture(autouse=True)
def without_memory():
    """What earlier tests learned about models is forgotten."""
    discovery.forget_listings()
    LATEST_CALLS.clear()
    REJECTED_PARAMETERS.clear()
