"""What a process remembers of what went wrong in it, and of what recovered."""

import logging

import pytest

from inference.observability.recent_errors import Outage, RecentErrors


def logged(message, level=logging.ERROR):
    return logging.LogRecord("speech.live.stream", level, "stream.py", 12, message, (), None)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("out of memory, 3 of 12 streams go", "memory"),
        ("moonshine: a model cannot be loaded", "initialisation"),
        ("session x cannot be stored: couldn't get a connection after 3.00 sec", "network"),
        ("stream x: speech and no word for long; its slot begins afresh", "performance"),
        ("upload x is refused: it is cut off", "validation"),
        ("a stream failed", "runtime"),
    ],
)
def test_faults_are_kept_in_classes(message, kind):
    recent = RecentErrors()
    recent.handle(logged(message))
    recent.handle(logged("no fault", logging.INFO))
    (fault,) = recent.latest()
    assert (fault.kind, fault.severity, fault.message, fault.source) == (kind, "error", message, "speech.live.stream")


def test_an_outage_is_told_once_and_so_is_its_end(caplog):
    logger, recent = logging.getLogger("test of outages"), RecentErrors()
    caplog.set_level(logging.INFO, logger.name)
    logger.addHandler(recent)
    outage = Outage(logger, "the channel layer")
    for _ in range(3):
        outage.record(ConnectionError("refused"))
    for _ in range(3):
        outage.recovered()
    logger.removeHandler(recent)
    away, back = recent.latest()
    assert (away.kind, away.severity) == ("network", "warning")
    assert away.message == "the channel layer is away: ConnectionError('refused')"
    assert (back.kind, back.severity) == ("network", "recovered")
    assert back.message.startswith("the channel layer is back after ")
