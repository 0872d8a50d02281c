import pytest

from tests.support.sessions import somebody


@pytest.fixture
def owner(db):
    """Whose sessions they are."""
    return somebody()
