"""How many streams that are not kept a user's programs may have at once, in this process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from accounts.models import User
from speech.errors import TooManyStreams

_open: Counter[int] = Counter()  # by user, in this process


@contextmanager
def stream_limit(user: User) -> Iterator[None]:
    """A stream of the user's that is not kept. Raises `TooManyStreams`."""
    if _open[user.pk] >= settings.PROGRAM_STREAMS_PER_USER:
        why = f"The programs of one account may have {settings.PROGRAM_STREAMS_PER_USER} at once."
        raise TooManyStreams(why=why, action="Close one of the others.")
    _open[user.pk] += 1
    try:
        yield
    finally:
        _open[user.pk] -= 1
        if not _open[user.pk]:
            del _open[user.pk]
