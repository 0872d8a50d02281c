"""Limits on the streams that a user has open in this process. With several web processes a user can open as many in
each: the limits bound memory and connections; that no account takes all slots is up to the fair share."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from accounts.models import User
from speech.errors import TooManyStreams
from speech.gateway.slot_request import requested_by


class StreamLimit:
    def __init__(self, setting: str, why: str, action: str = TooManyStreams.action) -> None:
        """`setting`: name of the setting with the limit. `why` (with `{limit}`) and `action`: texts of the error."""
        self._setting = setting
        self._why, self._action = why, action
        self._open: Counter[int] = Counter()  # by user

    @contextmanager
    def count(self, user: User) -> Iterator[None]:
        """Count a stream of the user's as open. Raises `TooManyStreams`."""
        limit = getattr(settings, self._setting)
        if self._open[user.pk] >= limit:
            raise TooManyStreams(why=self._why.format(limit=limit), action=self._action)
        self._open[user.pk] += 1
        try:
            yield
        finally:
            self._open[user.pk] -= 1
            if not self._open[user.pk]:
                del self._open[user.pk]


PROGRAM_STREAMS = StreamLimit(
    "PROGRAM_STREAMS_PER_USER",
    "The limit is {limit} concurrent streams for an account's programs.",
    "Close another stream first.",
)
"""Unsaved speech-to-text streams."""
SYNTHESIS_JOBS = StreamLimit("STREAMS_PER_USER", "The limit is {limit} at once.")


@contextmanager
def program_stream(user: User) -> Iterator[None]:
    """Count a program's stream; its slots are requested for a program. Raises `TooManyStreams`."""
    with PROGRAM_STREAMS.count(user), requested_by(is_program=True):
        yield
