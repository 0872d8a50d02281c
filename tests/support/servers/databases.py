"""Temporary replacement of Django's default database."""

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.core.management import call_command
from django.db import connections, transaction
from django.db.utils import ConnectionHandler


@contextmanager
def default_database(url: str, migrate: bool = True) -> Iterator[None]:
    """Make the database at `url`, migrated, this thread's default. `migrate`: False if it is migrated already."""
    settings = environ.Env.db_url_config(url)
    original = connections["default"]
    connections["default"] = ConnectionHandler({"default": settings})["default"]
    try:
        if migrate:
            call_command("migrate", interactive=False, verbosity=0)
        yield
    finally:
        connections["default"].close()
        connections["default"] = original


@contextmanager
def rolled_back() -> Iterator[None]:
    """Roll back all writes at the end."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
