"""A live stream whose session is saved; the test plays its engine."""

import asyncio

import pytest
from django.db import DatabaseError

from inference.messages import FRAME_SAMPLES, Closed, Endpoint, Marker, Word
from speech import errors, events
from speech.gateway.database import in_database
from speech.live import stream
from speech.live.audio_buffer import END
from speech.live.stream_state import Intent, State
from speech.models import Session, TimedWord
from tests.support.speech.checksum_audio import noise
from tests.support.speech.played_engine import played_streams
from tests.support.speech.sessions import create_user

pytestmark = pytest.mark.django_db(transaction=True)

FRAME = FRAME_SAMPLES
PCM = noise(10)
HELLO = Word("hello", 0.0, 0.1, 0.9)


@pytest.fixture
async def play(monkeypatch, settings, tmp_path):
    settings.AUDIO_DIR = tmp_path
    async with played_streams(monkeypatch) as start:
        yield start


@pytest.fixture
def compressed(monkeypatch):
    """The sessions whose recording was handed over for compression."""
    sessions = []
    monkeypatch.setattr(stream, "compress_soon", sessions.append)
    return sessions


@pytest.fixture
async def owner(play):
    return await in_database(create_user)


async def stored(played) -> tuple[Session, list[str]]:
    def read():
        session = Session.objects.get(pk=played.stream._session.pk)
        return session, list(session.words.values_list("text", flat=True))

    return await in_database(read)


async def stop(played) -> None:
    played.stream.set_intent(Intent.STOP)
    await played.until(lambda: played.task.done() or (played.stream._audio.has_slot and END in played.slot.markers))
    if not played.task.done():
        await played.post(Marker(END))
    await played.task


async def test_words_and_counts_are_stored(play, owner):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    played.stream.set_intent(Intent.RUN, dropped=300)
    await played.post(Closed("it crashed"))
    await played.is_ready()
    await played.post(HELLO)
    await stop(played)
    session, words = await stored(played)
    assert words == ["hello"]
    assert (session.samples, session.received) == (10 * FRAME, 10 * FRAME)
    assert (session.dropped, session.engines_lost) == (300, 1)
    assert session.ended_at is not None


async def test_a_resumed_session_goes_on_where_it_was_stored_with_its_counts(play, owner):
    first = await play(owner).is_ready()
    first.stream.feed(PCM)
    first.stream.set_intent(Intent.RUN, dropped=300)
    await first.post(Closed("it crashed"))
    await first.is_ready()
    await first.post(HELLO)
    await stop(first)
    again = await play(owner, session=first.stream._session.pk).is_ready()
    assert again.received == [events.Ready(str(first.stream._session.pk), 10 * FRAME, 1, "played", "en", False)]
    assert again.request.positions[0] == 10 * FRAME
    again.stream.feed(PCM)
    await again.until(lambda: again.slot.pcm == PCM)
    await stop(again)
    session, _ = await stored(again)
    assert (session.received, session.dropped, session.engines_lost) == (20 * FRAME, 300, 1)


async def test_a_recording_is_compressed_when_its_stream_ends(play, owner, compressed):
    played = await play(owner, saves_audio=True).is_ready()
    assert played.of(events.Ready)[0].audio
    played.stream.feed(PCM)
    await stop(played)
    assert compressed == [played.stream._session.pk]


async def test_a_session_without_a_recording_is_not_compressed(play, owner, compressed):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    await stop(played)
    assert compressed == []


async def test_a_stream_that_takes_a_session_over_ends_the_other_and_goes_on_with_its_recording(
    play, owner, compressed
):
    first = await play(owner, saves_audio=True).is_ready()
    first.stream.feed(PCM)
    await first.post(HELLO, Endpoint(0.0, 0.1))
    await first.process(10 * FRAME)
    await first.until(lambda: first.of(events.Ack))
    again = await play(owner, session=first.stream._session.pk).is_ready()
    with pytest.raises(errors.TakenOver):
        await first.task
    assert compressed == []
    assert again.of(events.Ready)[0].audio


async def test_what_is_inserted_before_the_end_is_stored(play, owner):
    def insert(played):
        played.stream.insert_segment("Bot", [TimedWord("goodbye", 0.0, 0.1, None)])

    played = await play(owner, before_end=insert).is_ready()
    played.stream.feed(PCM)
    await played.process(10 * FRAME)
    played.stream.fail(errors.EndedByAdmin())
    with pytest.raises(errors.EndedByAdmin):
        await played.task
    _, words = await stored(played)
    assert words == ["goodbye"]


async def test_inserted_segments_that_are_stored_are_counted(play, owner):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    assert played.stream.stored_insertions == 0
    played.stream.insert_segment("Bot", [TimedWord("hello", 0.0, 0.1, None)])
    await played.until(lambda: played.stream.stored_insertions == 1)


async def test_the_last_words_are_stored_even_if_the_stream_is_cancelled(play, owner):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    await played.post(HELLO)
    played.stream._transcript.advance_final_until(10 * FRAME)
    played.task.cancel()
    await asyncio.gather(played.task, return_exceptions=True)

    async def are_stored():
        while (await stored(played))[1] != ["hello"]:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(are_stored(), 5)


async def test_the_client_learns_once_of_a_database_that_fails_and_when_it_is_back(play, owner, monkeypatch):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)

    def fail(*args, **kwargs):
        raise DatabaseError("down")

    with monkeypatch.context() as outage:
        outage.setattr(Session, "commit", fail)
        outage.setattr("speech.live.transcript.STORE_WORDS_INTERVAL", 0.01)
        await played.post(HELLO, Endpoint(0.0, 0.1))
        await played.process(4 * FRAME)
        tries = len(played.of(events.Unstored))
        await played.until(lambda: played.of(events.Unstored))
        for _ in range(5):
            await asyncio.sleep(0.02)
        assert (tries, len(played.of(events.Unstored))) in ((0, 1), (1, 1))
        assert not played.of(events.Ack)
    monkeypatch.setattr("speech.live.transcript.STORE_WORDS_INTERVAL", 0.01)
    await played.until(lambda: played.of(events.Ack))
    assert played.of(events.Ack) == [events.Ack(4 * FRAME)]
    _, words = await stored(played)
    assert words == ["hello"]


async def test_the_client_learns_that_the_database_is_back_even_if_nothing_new_is_stored(play, owner, monkeypatch):
    played = await play(owner).is_ready()
    played.stream._post(stream.Stored(None))
    played.stream._post(stream.Stored(0))
    played.stream._post(stream.Stored(0))
    await played.until(lambda: played.of(events.Ack))
    await played.post()
    assert played.of(events.Ack) == [events.Ack(0)]


async def test_a_process_that_ends_stores_what_was_said_first(play, owner):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    played.stream._drain({})
    assert played.stream._state is State.FINISHING
    played.stream._drain({})  # again changes nothing
    await played.until(lambda: played.slot.markers[-1:] == [END])
    await played.post(HELLO)
    played.stream._post(Marker(END))
    with pytest.raises(errors.Restarting):
        await played.task
    session, words = await stored(played)
    assert words == ["hello"]
    assert session.samples == 0  # the words are kept, and the client sends their audio again
    assert not played.of(events.Done)


async def test_a_client_that_leaves_within_its_first_words_finds_them_in_the_session(play, owner):
    """Engines make words final at the end of a segment, and this one ends because the client has left."""
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    played.stream.detach()
    await played.until(lambda: played.slot.markers == [END])
    await played.post(HELLO, Endpoint(0.0, 0.1))
    played.stream._post(Marker(END))
    await played.task
    session, words = await stored(played)
    assert words == ["hello"]
    assert session.ended_at is not None


async def test_a_session_without_words_and_audio_is_deleted(play, owner):
    played = await play(owner).is_ready()
    await stop(played)
    assert not await in_database(Session.objects.exists)


async def test_a_process_that_ends_does_not_wait_for_a_stream_without_a_slot(play, owner):
    played = play(owner)
    played.request.answers = [events.Queued(1)] * 1_000
    await played.until(lambda: played.of(events.Queued))
    played.stream._drain({})
    with pytest.raises(errors.Restarting):
        await played.task


async def test_a_stream_that_stops_already_ends_as_its_client_asked(play, owner):
    played = await play(owner).is_ready()
    played.stream.feed(PCM)
    played.stream.set_intent(Intent.STOP)
    await played.until(lambda: END in played.slot.markers)
    played.stream._drain({})
    played.stream._post(Marker(END))
    await played.task
    assert isinstance(played.received[-1], events.Done)
