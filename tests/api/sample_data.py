"""Sample data of an account, created inside a running site."""

from accounts.models import User
from speech.events import Endpoint, Word
from speech.models import Counts, Session


def create_session(email: str) -> None:
    session = Session.acquire(User.objects.get(email=email), None)
    session.start("checksum", "en")
    session.commit(24_000, [Word(0, 0, "hello", 0.1, 0.5, 0.9)], [Endpoint(0, 0.0, 1.0)], Counts(24_000, 0, 0))
    session.end()
