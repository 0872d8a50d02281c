"""The site with one account of each kind and the owner's objects, created once."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.test import Client, override_settings
from drf_spectacular.generators import SchemaGenerator
from pytest_django.plugin import DjangoDbBlocker

from accounts.credentials.credentials import Credentials
from accounts.models import User
from operations.report import process_report
from speech.dialects import asyncapi
from speech.gateway import workers
from tests.permissions.objects import create_objects
from tests.permissions.roles import BROWSERS, SETTINGS, Role, create_accounts, disapprove, email_of, programs
from tests.support.servers.databases import rolled_back


@pytest.fixture(scope="module")
def clients(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Role, Client]]:
    """A client for each role. What tests change in the database must be `rolled_back`."""
    folder = tmp_path_factory.mktemp("permissions")
    paths = {"DATA_DIR": folder, "AUDIO_DIR": folder}
    with django_db_blocker.unblock(), rolled_back(), override_settings(**SETTINGS, **paths):
        create_accounts()
        create_objects(User.objects.get(email=email_of("owner")), folder)
        roles = (*BROWSERS, *programs())
        disapprove()
        yield {role: role.client() for role in roles}


@pytest.fixture(autouse=True)
def _reset(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()  # the counts of rate limits
    for timeout in ("DISCOVERY_TIMEOUT", "VOICES_TIMEOUT"):
        monkeypatch.setattr(workers, timeout, 0.0)  # no engine is running
    monkeypatch.setattr(process_report, "QUIET_TIMEOUT", 0.0)
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *_, **__: {})  # it takes long
    monkeypatch.setattr(asyncapi, "document", dict)  # it takes long too
    monkeypatch.setattr(Credentials, "asks_issuer", False)  # else in another thread, which doesn't see the accounts
