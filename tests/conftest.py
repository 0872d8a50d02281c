"""Shared fixtures. A test whose fixture needs a program that is not installed is skipped, with the reason.

Tests inside this process use pytest-django's own fixtures on an SQLite file and the in-memory channel layer.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from playwright.sync_api import Page
from pytest_django.plugin import DjangoDbBlocker

from tests.support.clients.tokens import issue_token
from tests.support.pages.browser import Browsers
from tests.support.servers.databases import default_database, rolled_back
from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis
from tests.support.servers.site import Site, running_site
from tests.support.servers.site_fixture import site_fixture
from tests.support.speech.audio import Recording, recorded_speech, two_sentences
from tests.support.speech.link import isolated_link

hypothesis.settings.register_profile("deterministic", derandomize=True, deadline=None)
hypothesis.settings.load_profile("deterministic")

StartSite = Callable[..., Site]
OpenPage = Callable[..., Page]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", metavar="FOLDER", help="folder for screenshots of every page")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail on skipped tests in CI: everything tests need is installed there, so a skip hides a setup error."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter and reporter.stats.get("skipped"):
        reporter.write_line("")
        reporter.write_line("CI=true: skipped tests count as failed.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    redis = Redis(tmp_path_factory.mktemp("redis"))
    yield redis
    redis.stop()


@pytest.fixture
def redis_server(_redis_server: Redis) -> Redis:
    """A real, empty Redis: `.url`, `.client`, `.keys()`, `.kill()` and `.start()`."""
    if _redis_server.process.poll() is not None:
        _redis_server.start()
    _redis_server.client.flushall()
    return _redis_server


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[Postgres]:
    postgres = Postgres()
    yield postgres
    postgres.stop()


@pytest.fixture
def postgres_server(_postgres_server: Postgres) -> Postgres:
    """A real PostgreSQL: `.new_database()`, `.crash()` and `.start()`."""
    if _postgres_server.process.poll() is not None:
        _postgres_server.start()
    return _postgres_server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """The URL of a new database in a real PostgreSQL."""
    return postgres_server.new_database()


@pytest.fixture(scope="session")
def migrated_database(_postgres_server: Postgres, django_db_blocker: DjangoDbBlocker) -> str:
    """The URL of an empty, migrated database in a real PostgreSQL, to copy or for what is rolled back."""
    if _postgres_server.process.poll() is not None:
        _postgres_server.start()
    url = _postgres_server.new_database()
    with django_db_blocker.unblock(), default_database(url):
        return url


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def either_database(request: pytest.FixtureRequest, db: None) -> Iterator[None]:
    """The models of this process on SQLite, and again on a real PostgreSQL. Writes are rolled back."""
    if request.param == "SQLite":
        yield
        return
    request.getfixturevalue("postgres_server")  # restarts it if another test stopped it
    url: str = request.getfixturevalue("migrated_database")
    with request.getfixturevalue("django_db_blocker").unblock(), default_database(url, migrate=False), rolled_back():
        yield


@pytest.fixture
async def no_engines(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Make this process a web process without engines."""
    async with isolated_link(monkeypatch):
        yield


@pytest.fixture
def start_site(tmp_path: Path) -> Iterator[StartSite]:
    """Start the real site: `start_site(inference=0, **options)`, with the options of `running_site`."""
    numbers = count()
    with ExitStack() as sites:

        def start(inference: int = 0, **options: Any) -> Site:
            folder = tmp_path / f"site-{next(numbers)}"
            folder.mkdir()
            return sites.enter_context(running_site(folder, inference, **options))

        yield start


@pytest.fixture
def site(start_site: StartSite) -> Site:
    """The site as `make serve` starts it: one process, default settings."""
    return start_site()


checksum_site = site_fixture(
    "session",
    STT_ENGINE="checksum",
    TTS_ENGINE="tones",
    STT_SLOTS="8",
    STREAMS_PER_USER="100",
    TRUSTED_PROXIES="127.0.0.1",
    UPLOAD_MAX_MB="100",
    UPLOAD_MAX_HOURS="0.05",
)
"""A site that transcribes audio as checksums and speaks tones, shared by all tests that don't change its state."""


@pytest.fixture(scope="session")
def checksum_token(checksum_site: Site) -> str:
    return issue_token(checksum_site)


@pytest.fixture(params=["in one process", "in production"])
def start_either_site(request: pytest.FixtureRequest, start_site: StartSite) -> StartSite:
    """`start_site` for one process, and again with Redis, PostgreSQL and a `manage.py inference`."""
    if request.param == "in one process":
        return start_site
    redis: Redis = request.getfixturevalue("redis_server")
    database: str = request.getfixturevalue("postgres_url")

    def start(inference: int = 1, **options: Any) -> Site:
        return start_site(inference, REDIS_URL=redis.url, DATABASE_URL=database, **options)

    return start


@pytest.fixture
def open_page(start_site: StartSite) -> Iterator[OpenPage]:
    """Open a page in a real Chromium: `open_page(site.url, microphone=None, expect=(), **options)`, as `Browsers.open`.

    Fails at the end if a page logged or threw an error, or sent a request to another host.
    Depends on `start_site` so that pages close before their site.
    """
    with Browsers() as browsers:
        yield browsers.open
        browsers.assert_no_problems()


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """41 s of English speech: `.text`, `.seconds`, `.wav(rate, silence_after)`, `.samples(rate, silence_after)`."""
    return recorded_speech(tmp_path_factory.mktemp("speech"))


@pytest.fixture(scope="session")
def excerpt(speech: Recording) -> Recording:
    """Two sentences of this speech with a pause between them: short enough to play into a microphone in real time."""
    return two_sentences(speech)


@pytest.fixture(scope="session")
def sentence(speech: Recording) -> Recording:
    """Its first sentence."""
    return speech.excerpt(0, 1)
