"""An engine that finds the language by itself tells it with each utterance; a session bears one."""

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


def test_that_of_the_first_utterances_is_the_sessions(session):
    assert stored(session) == UNKNOWN_LANGUAGE
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    session.commit(48_000, [], [Endpoint(1, 1.0, 2.0, "fr")], COUNTS)
    assert stored(session) == "de"


def test_of_several_at_once_it_is_that_of_most(session):
    ends = [Endpoint(n, n, n + 1, language) for n, language in enumerate(["en", "de", "de"])]
    session.commit(72_000, [], ends, COUNTS)
    assert stored(session) == "de"


def test_a_session_that_goes_on_keeps_it(session):
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    again = Session.acquire(session.owner, session.pk)
    again.start("whisper", UNKNOWN_LANGUAGE)
    assert stored(session) == "de"


def test_one_that_was_told_stays(session):
    session.start("whisper", "nl")
    session.commit(24_000, [], [Endpoint(0, 0.0, 1.0, "de")], COUNTS)
    assert stored(session) == "nl"


@pytest.mark.parametrize(("told", "heard"), [(UNKNOWN_LANGUAGE, "de"), ("nl", "nl")])
def test_programs_are_told_it(told, heard):
    taken = Transcription()
    for event in (events.Ready("s", 0, 0, "whisper", told, False), Endpoint(0, 0.0, 1.0), Endpoint(1, 1.0, 2.0, "de")):
        taken.add(event)
    assert taken.language == heard
