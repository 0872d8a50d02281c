"""Django's default database, for a while another one."""

from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.core.management import call_command
from django.db import connections, transaction
from django.db.utils import ConnectionHandler


@contextmanager
def default_database(url: str) -> Iterator[None]:
    """Have this thread's default database be the one at `url`, migrated."""
    settings = environ.Env.db_url_config(url)
    usual = connections["default"]
    connections["default"] = ConnectionHandler({"default": settings})["default"]
    try:
        call_command("migrate", interactive=False, verbosity=0)
        yield
    finally:
        connections["default"].close()
        connections["default"] = usual


@contextmanager
def rolled_back() -> Iterator[None]:
    """What is written in the meantime is forgotten."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
