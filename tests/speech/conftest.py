import pytest
from django.test import Client

from tests.support.speech.sessions import create_user


@pytest.fixture
def owner(db):
    """Owner of the sessions."""
    return create_user()


@pytest.fixture
def pages(owner):
    """A client in which the owner is logged in."""
    client = Client()
    client.force_login(owner)
    return client
