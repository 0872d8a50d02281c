import pytest

from tests.support.speech.sessions import somebody


@pytest.fixture
def owner(db):
    """Whose sessions they are."""
    return somebody()
