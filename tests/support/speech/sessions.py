"""Sessions as streams would have stored them, created without a stream."""

from collections.abc import Sequence

from accounts.models import User
from speech.events import Endpoint, InsertedSegment, Word
from speech.models import Conversation, Counts, Session
from speech.models.conversation import ASSISTANT

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


def create_conversation(owner: User, *segments: tuple[str, float, str]) -> Session:
    """Create a finished conversation from speakers, start times in seconds and texts; a word takes half a second."""
    session = Session.acquire(owner, None, names_speakers=True)
    session.start("checksum", "en")
    for speaker, start, text in segments:
        first, segment, _ = session.start("checksum", "en")
        words = _words(text.split(), first, segment, start)
        end = words[-1].end
        kind = InsertedSegment if speaker == ASSISTANT else Endpoint
        session.samples = max(session.samples, round((end + 0.5) * RATE))
        session.commit(session.samples, words, [kind(segment, start, end, "", speaker)], Counts(session.samples, 0, 0))
    Conversation.open(session.pk, instructions="Be kind.", model="demo", voice="amy", voice_engine="piper")
    session.end()
    return Session.objects.get(pk=session.pk)
