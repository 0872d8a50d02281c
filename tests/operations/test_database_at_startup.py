"""`manage.py serve` waits for a database that starts at the same time."""

from unittest.mock import Mock

import pytest
from django.core.management import CommandError
from django.db import OperationalError

from operations.management.commands import serve
from tests.support.speech.sessions import create_user


@pytest.fixture
def migrate(monkeypatch):
    monkeypatch.setattr(serve.time, "sleep", Mock())
    monkeypatch.setattr(serve.connection, "close", Mock())  # the test's transaction needs it
    monkeypatch.setattr(serve, "_migrate", Mock())
    return serve._migrate


@pytest.mark.django_db
def test_the_site_starts_once_the_database_responds(migrate):
    migrate.side_effect = [OperationalError("refused\n"), OperationalError("starting up\n"), None]
    assert "Sign up to create the administrator account." in serve.Command()._prepare_database()
    assert migrate.call_count == 3


@pytest.mark.django_db
def test_a_database_that_is_lost_after_the_migration_is_waited_for(migrate, monkeypatch):
    create_user()
    monkeypatch.setattr(serve, "_greeting", Mock(side_effect=[OperationalError("closed\n"), "running"]))
    assert serve.Command()._prepare_database() == "running"


def test_a_database_that_does_not_respond_for_long_ends_the_start_with_the_reason(migrate, monkeypatch):
    monkeypatch.setattr(serve, "DATABASE_TIMEOUT", -1.0)
    migrate.side_effect = OperationalError("connection refused\n")
    with pytest.raises(CommandError, match="Can't connect to the database: connection refused\nCheck DATABASE_URL"):
        serve.Command()._prepare_database()
