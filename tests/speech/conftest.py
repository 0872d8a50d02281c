import pytest

from tests.support.speech.sessions import create_user


@pytest.fixture
def owner(db):
    """Owner of the sessions."""
    return create_user()
