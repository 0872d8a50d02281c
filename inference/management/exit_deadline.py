"""A process that was told to end does so in time, whatever does not answer."""

import logging
import os
import threading

logger = logging.getLogger(__name__)

EXIT_DEADLINE = 9.5
"""Seconds; service managers kill after ten. Nothing that was acknowledged is lost by it, and the rest is sent again."""


def arm_exit_deadline() -> None:
    """For instance a database that is away: each of many streams waits for it, one thread after another."""
    timer = threading.Timer(EXIT_DEADLINE, _go)
    timer.daemon = True
    timer.start()


def _go() -> None:
    logger.warning("something did not come to its end in %.1f s, and is left behind", EXIT_DEADLINE)
    logging.shutdown()
    os._exit(0)
