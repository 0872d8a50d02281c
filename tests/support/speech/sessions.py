"""Sessions as streams would have stored them, created without a stream."""

from collections.abc import Sequence

from accounts.models import User
from speech.events import Endpoint, Word
from speech.models import Counts, Session

RATE = 24_000


def create_user(email: str = "ada@example.org") -> User:
    return User.objects.create_user(email, "an unguessable passphrase", status="approved")


def create_session(owner: User, *segments: str, saves_audio: bool = False) -> Session:
    """Create a finished session. Each segment starts on a whole second; a word takes half a second."""
    session = Session.acquire(owner, None, saves_audio)
    session.start("checksum", "en")
    append_segments(session, *segments)
    session.end()
    session.refresh_from_db()
    return session


def append_segments(session: Session, *segments: str) -> None:
    first, segment = session.words.count(), session.segments.original().count()
    start = float(-(-session.samples // RATE))
    for text in segments:
        words = _words(text.split(), first, segment, start)
        end = words[-1].end
        samples = round((end + 0.5) * RATE)
        session.commit(samples, words, [Endpoint(segment, start, end)], Counts(samples, 0, 0))
        first, segment, start = first + len(words), segment + 1, float(-(-samples // RATE))
        session.samples = samples


def _words(texts: Sequence[str], first: int, segment: int, start: float) -> list[Word]:
    return [Word(first + n, segment, text, start + n / 2, start + n / 2 + 0.4, 0.9) for n, text in enumerate(texts)]
