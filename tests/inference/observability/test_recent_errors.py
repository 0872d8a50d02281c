"""Recent errors and recoveries of a process, with their classes."""

import logging

import pytest

from inference.observability import recent_errors
from inference.observability.recent_errors import Outage, RecentErrors, classify


def record(level=logging.ERROR, name="speech.live.stream", **extra):
    logger = logging.getLogger(name)
    return logger.makeRecord(name, level, "stream.py", 12, "a stream failed", (), None, extra=extra)


@pytest.mark.parametrize("kind", ["initialization", "runtime", "performance", "memory", "network", "validation"])
def test_the_class_of_an_error_is_the_one_of_the_log_call(kind):
    recent = RecentErrors()
    recent.handle(record(**getattr(recent_errors, f"{kind.upper()}_ERROR")))
    recent.handle(record(logging.INFO))
    (error,) = recent.latest()
    assert (error.kind, error.severity, error.source) == (kind, "error", "speech.live.stream")
    assert error.message == "a stream failed"


@pytest.mark.parametrize(("name", "kind"), [("speech", "runtime"), ("django.security.DisallowedHost", "validation")])
def test_a_log_call_without_a_class_has_that_of_its_logger(name, kind):
    recent = RecentErrors()
    recent.handle(record(name=name))
    assert [error.kind for error in recent.latest()] == [kind]


class PoolTimeout(TimeoutError):
    pass


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), "memory"),
        (ConnectionRefusedError(), "network"),
        (PoolTimeout(), "network"),
        (ValueError("no ConnectionError"), "runtime"),
    ],
)
def test_the_class_of_an_exception_follows_from_its_type(error, kind):
    assert classify(error) == {"error_class": kind}


def test_an_outage_is_logged_once_and_so_is_its_end(caplog):
    logger, recent = logging.getLogger("test of outages"), RecentErrors()
    caplog.set_level(logging.INFO, logger.name)
    logger.addHandler(recent)
    outage = Outage(logger, "channel layer")
    for _ in range(3):
        outage.record(ConnectionError("refused"))
    for _ in range(3):
        outage.recovered()
    logger.removeHandler(recent)
    start, end = recent.latest()
    assert (start.kind, start.severity) == ("network", "warning")
    assert start.message == "channel layer unavailable: ConnectionError('refused')"
    assert (end.kind, end.severity) == ("network", "recovered")
    assert end.message.startswith("channel layer available again after ")
