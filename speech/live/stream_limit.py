"""Limit on the streams that a user has open in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from accounts.models import User
from speech.errors import TooManyStreams

_open: Counter[int] = Counter()  # by user


@contextmanager
def stream_limit(user: User) -> Iterator[None]:
    """Count an unsaved stream of a program of the user's. Raises `TooManyStreams`."""
    limit = settings.PROGRAM_STREAMS_PER_USER
    if _open[user.pk] >= limit:
        why = f"The limit is {limit} concurrent streams for an account's programs."
        raise TooManyStreams(why=why, action="Close another stream first.")
    _open[user.pk] += 1
    try:
        yield
    finally:
        _open[user.pk] -= 1
        if not _open[user.pk]:
            del _open[user.pk]
