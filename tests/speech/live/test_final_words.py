"""Words that an engine emits before they are final: if the engine is lost, they come again under the same numbers."""

import pytest

from inference import messages
from inference.messages import SAMPLE_RATE
from speech.gateway.database import in_database
from speech.live.transcript import Transcript
from speech.live.unsaved_session import UnsavedSession
from speech.models import Counts, Session
from tests.support.speech.sessions import create_user


def transcript_of(session):
    return Transcript(session, lambda stored: None, lambda error: None, lambda sample: lambda: None)


@pytest.fixture
def transcript():
    return transcript_of(UnsavedSession())


def word(transcript, text, start):
    event = transcript.add_word(messages.Word(text, start, start + 0.5, 0.9))
    return event.index, event.segment


def endpoint(transcript, start, end):
    return transcript.add_endpoint(messages.Endpoint(start, end)).segment


def advance(transcript, seconds):
    transcript.advance_final_until(round(seconds * SAMPLE_RATE))


def test_words_in_mid_segment_keep_their_numbers_when_the_engine_is_lost_and_repeats_them(transcript):
    """As Kyutai's models: a step after each word, whose `final_until` stays where the segment begins."""
    first = [word(transcript, text, start) for text, start in (("good", 1.0), ("morning", 1.6))]
    advance(transcript, 0.9)
    assert transcript.discard_pending() == 0
    assert [word(transcript, text, start) for text, start in (("good", 1.0), ("morning", 1.6))] == first


def test_only_words_that_begin_before_the_final_sample_are_final(transcript):
    word(transcript, "good", 1.0)
    word(transcript, "morning", 1.6)
    advance(transcript, 1.6)
    assert transcript.discard_pending() == 1
    assert word(transcript, "evening", 1.6) == (1, 0)


def test_a_segment_ends_with_its_last_final_word(transcript):
    word(transcript, "yes", 1.0)
    assert endpoint(transcript, 1.0, 1.5) == 0
    assert word(transcript, "no", 3.0) == (1, 1)
    advance(transcript, 2.0)
    assert word(transcript, "way", 3.6) == (2, 1)
    assert transcript.discard_pending() == 1
    assert word(transcript, "no", 3.0) == (1, 1)
    assert endpoint(transcript, 3.0, 3.5) == 1
    assert word(transcript, "three", 5.0) == (2, 2)


def test_an_endpoint_waits_for_the_words_of_its_segment(transcript):
    word(transcript, "one", 1.0)
    word(transcript, "two", 2.0)
    assert endpoint(transcript, 1.0, 2.5) == 0
    advance(transcript, 1.5)
    assert transcript.discard_pending() == 1
    assert word(transcript, "two", 2.0) == (1, 0)
    assert endpoint(transcript, 1.0, 2.5) == 0
    assert word(transcript, "three", 3.0) == (2, 1)


@pytest.mark.django_db(transaction=True)
async def test_a_stream_that_ends_in_mid_segment_stores_its_words_and_a_later_one_replaces_them():
    session = await in_database(lambda: Session.acquire(create_user(), None, False, True))
    transcript = transcript_of(session)
    await transcript.start("checksum", "en")
    word(transcript, "good", 1.0)
    advance(transcript, 0.5)
    await transcript.end(SAMPLE_RATE, Counts(0, 0, 0))
    assert await in_database(stored_words, session) == ["good"]
    session = await in_database(Session.acquire, session.owner, session.pk, False, True)
    assert session.samples == SAMPLE_RATE / 2
    transcript = transcript_of(session)
    await transcript.start("checksum", "en")
    assert word(transcript, "Good", 1.0) == (0, 0)
    await transcript.end(SAMPLE_RATE, Counts(0, 0, 0))
    assert await in_database(stored_words, session) == ["Good"]


def stored_words(session):
    return list(session.words.order_by("index").values_list("text", flat=True))
