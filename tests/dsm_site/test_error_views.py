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


def test_a_bug_is_a_500():
    page = page_for(RuntimeError("a bug"))
    assert page.status_code == 500
    assert b"Something went wrong" in page.content


def test_a_lost_database_is_a_503_rendered_without_the_database():
    page = page_for(OperationalError("connection refused"))
    assert (page.status_code, page["Retry-After"]) == (503, "5")
    assert b"temporarily unavailable" in page.content


def logged(level, error):
    record = logging.LogRecord("django.request", level, "", 0, "Denied: %s", ("/x/",), (type(error), error, None))
    TracebackFilter().filter(record)
    return record


def test_denials_and_outages_are_logged_without_traceback():
    assert logged(logging.WARNING, PermissionError()).exc_info is None
    assert logged(logging.ERROR, OperationalError("down")).getMessage() == "Denied: /x/: OperationalError('down')"


def test_a_bug_keeps_its_traceback():
    assert logged(logging.ERROR, RuntimeError()).exc_info is not None


def test_asyncios_errors_about_outages_are_dropped_and_others_kept():
    def record(error):
        return logging.LogRecord("asyncio", logging.ERROR, "", 0, "Never retrieved", (), (type(error), error, None))

    assert not DuplicateErrorFilter().filter(record(ConnectionError("Redis is down")))
    assert DuplicateErrorFilter().filter(record(RuntimeError("a bug")))
