"""Limits the time of a shutdown, even if something it waits for does not respond."""

import logging
import os
import threading

logger = logging.getLogger(__name__)

EXIT_DEADLINE = 9.5
"""Seconds; service managers kill after ten. Acknowledged data is safe, and clients resend the rest."""


def arm_exit_deadline() -> None:
    """Exit after `EXIT_DEADLINE` even if, for example, many streams wait for an unavailable database one by one."""
    timer = threading.Timer(EXIT_DEADLINE, _exit_now)
    timer.daemon = True
    timer.start()


def _exit_now() -> None:
    logger.warning("shutdown incomplete after %.1f s; exiting anyway", EXIT_DEADLINE)
    logging.shutdown()
    os._exit(0)
