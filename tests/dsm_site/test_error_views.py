import logging

from django.db import OperationalError
from redis.exceptions import ConnectionError

from dsm_site.error_views import server_error
from dsm_site.logs import DuplicateErrorFilter, TracebackFilter


def page_for(error):
    try:
        raise error
    except type(error):
        return server_error(None)


def test_what_broke_is_told_as_broken():
    page = page_for(RuntimeError("a bug"))
    assert page.status_code == 500
    assert b"Something broke on our side" in page.content


def test_what_is_away_is_told_as_away_without_asking_the_database():
    page = page_for(OperationalError("connection refused"))
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert b"away for a moment" in page.content


def logged(level, error):
    record = logging.LogRecord("django.request", level, "", 0, "Denied: %s", ("/x/",), (type(error), error, None))
    TracebackFilter().filter(record)
    return record


def test_a_denial_and_an_outage_are_logged_in_a_line():
    assert logged(logging.WARNING, PermissionError()).exc_info is None
    assert logged(logging.ERROR, OperationalError("away")).getMessage() == "Denied: /x/: OperationalError('away')"


def test_a_bug_keeps_its_traceback():
    assert logged(logging.ERROR, RuntimeError()).exc_info is not None


def test_what_asyncio_says_of_an_outage_is_told_elsewhere_and_nothing_else_is():
    def record(error):
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, "Never retrieved", (), (type(error), error, None))

    assert not DuplicateErrorFilter().filter(record(ConnectionError("Redis is away")))
    assert DuplicateErrorFilter().filter(record(RuntimeError("a bug")))
