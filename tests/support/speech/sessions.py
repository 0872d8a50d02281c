"""Sessions as streams would have left them, made without any."""

from collections.abc import Sequence

from accounts.models import User
from speech.events import Endpoint, Word
from speech.models import Counts, Session

RATE = 24_000


def somebody(email: str = "ada@example.org") -> User:
    return User.objects.create_user(email, "a passphrase nobody guesses", status="approved")


def said(owner: User, *utterances: str, saves_audio: bool = False) -> Session:
    """A session that is over. Each utterance begins on a whole second; a word takes half a second."""
    session = Session.acquire(owner, None, saves_audio)
    session.begin("checksum", "en")
    go_on(session, *utterances)
    session.end()
    session.refresh_from_db()
    return session


def go_on(session: Session, *utterances: str) -> None:
    first, segment = session.words.count(), session.segments.original().count()
    start = float(-(-session.samples // RATE))
    for text in utterances:
        words = _words(text.split(), first, segment, start)
        end = words[-1].end
        samples = round((end + 0.5) * RATE)
        session.commit(samples, words, [Endpoint(segment, start, end)], Counts(samples, 0, 0))
        first, segment, start = first + len(words), segment + 1, float(-(-samples // RATE))
        session.samples = samples


def _words(texts: Sequence[str], first: int, segment: int, start: float) -> list[Word]:
    return [Word(first + n, segment, text, start + n / 2, start + n / 2 + 0.4, 0.9) for n, text in enumerate(texts)]
