"""The language of a session whose engine detects the language of each segment."""

import pytest

from accounts.models import User
from inference.messages import UNKNOWN_LANGUAGE
from speech import events
from speech.batch.transcription import Transcription
from speech.events import Endpoint
from speech.models import Counts, Session

COUNTS = Counts(24_000, 0, 0)


@pytest.fixture
def session(db):
    session = Session.acquire(User.objects.create_superuser("owner@example.org"), None)
    session.start("whisper", UNKNOWN_LANGUAGE)
    return session


def stored(session):
    return Session.objects.get(pk=session.pk).language


def test_the_first_detected_language_is_stored(session):
    assert stored(session) == UNKNOWN_LANGUAGE
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    session.commit(48_000, [], [Endpoint(1, 1.0, 2.0, "fr")], COUNTS)
    assert stored(session) == "de"


def test_of_several_segments_committed_together_the_most_frequent_language_is_stored(session):
    ends = [Endpoint(n, n, n + 1, language) for n, language in enumerate(["en", "de", "de"])]
    session.commit(72_000, [], ends, COUNTS)
    assert stored(session) == "de"


def test_a_resumed_session_keeps_its_detected_language(session):
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    again = Session.acquire(session.owner, session.pk)
    again.start("whisper", UNKNOWN_LANGUAGE)
    assert stored(session) == "de"


def test_a_requested_language_is_kept(session):
    session.start("whisper", "nl")
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    assert stored(session) == "nl"


@pytest.mark.parametrize(("requested", "expected"), [(UNKNOWN_LANGUAGE, "de"), ("nl", "nl")])
def test_a_transcription_has_the_requested_or_else_the_detected_language(requested, expected):
    transcription = Transcription()
    transcription.add(events.Ready("s", 0, 0, "whisper", requested, False))
    transcription.add(Endpoint(0, 0.0, 1.0))
    transcription.add(Endpoint(1, 1.0, 2.0, "de"))
    assert transcription.language == expected
