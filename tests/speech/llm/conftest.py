from functools import partial

import openai
import pytest

from speech.llm import discovery
from speech.llm.client import LATEST_CALLS, REJECTED_PARAMETERS


@pytest.fixture(autouse=True)
def without_memory():
    """What earlier tests learned about models is forgotten."""
    discovery.forget_listings()
    LATEST_CALLS.clear()
    REJECTED_PARAMETERS.clear()


@pytest.fixture(autouse=True)
def without_certificates(monkeypatch):
    """Load no certificates, which takes longer than a request: the servers of these tests have no TLS."""
    http_client = partial(openai.DefaultAsyncHttpxClient, verify=False)
    monkeypatch.setattr(openai, "DefaultAsyncHttpxClient", http_client)
