"""A live stream whose engine the test plays: what its client gets, and what happens to slots and audio."""

import asyncio

import pytest

from inference.messages import (
    FRAME_BYTES,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Closed,
    Endpoint,
    Marker,
    Partial,
    Ready,
    Step,
    Word,
)
from speech import errors, events
from speech.live.audio_buffer import END, FLUSH
from speech.live.stream import MAX_BUFFERED, MAX_INBOX
from speech.live.stream_state import Intent, State
from speech.models import Counts
from tests.support.speech.checksum_audio import noise
from tests.support.speech.played_engine import played_streams

FRAME = FRAME_SAMPLES
PCM = noise(10)
LOST = Closed("it crashed")
REASSIGNED = Closed("another account waits", is_reassigned=True)


@pytest.fixture
async def play(monkeypatch):
    async with played_streams(monkeypatch) as start:
        yield start


def word(text: str, start: float = 0.0) -> Word:
    return Word(text, start, start + 0.1, 0.9)


async def final_word(played, text: str, sample: int) -> None:
    """The engine emits a word and its end of a segment, final before `sample`."""
    await played.post(word(text, sample / SAMPLE_RATE - 0.1), Endpoint(0.0, sample / SAMPLE_RATE))
    await played.process(sample)


# --- What the client gets -------------------------------------------------------------------------------------------


async def test_a_stream_is_ready_once_it_has_a_slot(play):
    played = play(engine="fast", language="nl")
    assert not played.stream.accepts_audio
    assert (played.stream.engine_name, played.stream.kind) == ("", "stt")
    assert (played.stream.words_until, played.stream._received()) == (0, Counts(0, 0, 0))
    await played.is_ready()
    session = str(played.stream._session.pk)
    assert played.received == [events.Ready(session, 0, 0, "fast", "nl", False)]
    assert played.stream.engine_name == "fast"
    assert not played.request.is_open


async def test_the_request_for_a_slot_says_what_the_owner_chose(play):
    played = play(engine="fast", language="nl", wait=False, translates=True, endpointing="an endpointing")
    await played.is_ready()
    options = {"kind": "stt", "engine": "fast", "language": "nl", "may_wait": False, "translates": True}
    assert played.request.options == options
    assert played.request.endpointing == "an endpointing"
    assert set(played.request.positions) == {0}


async def test_the_engines_events_reach_the_client(play):
    played = await play(speaker="Ann").is_ready()
    played.stream.feed(PCM)
    await played.post(
        Partial("hel", 0.0, 0.1),
        word("hello"),
        Endpoint(0.0, 0.2, "en"),
        word("world", 0.3),
        Step(3 * FRAME, 2 * FRAME, 0.5, [0.1, 0.2]),
    )
    assert played.received[1:6] == [
        events.Partial("hel", 0.0, 0.1),
        events.Word(0, 0, "hello", 0.0, 0.1, 0.9),
        events.Endpoint(0, 0.0, 0.2, "en", "Ann"),
        events.Word(1, 1, "world", 0.3, 0.4, 0.9),
        events.Step(3 * FRAME, 0.5, [0.1, 0.2]),
    ]


async def test_words_that_are_sent_but_may_change_count_as_sent(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    await played.post(Step(3 * FRAME, FRAME, 0.5, words_until=2 * FRAME))
    assert played.stream.words_until == 2 * FRAME
    assert played.stream._transcript.final_until == FRAME
    await played.post(Step(4 * FRAME, 3 * FRAME, 0.5))
    assert played.stream.words_until == 3 * FRAME


async def test_silence_that_fills_the_last_frame_does_not_count_as_transcribed(play):
    played = await play().is_ready()
    played.stream.feed(PCM[: FRAME_BYTES + 200])
    end = FRAME + 100
    await played.post(Step(2 * FRAME, 2 * FRAME, 0.5))
    assert played.of(events.Step) == [events.Step(end, 0.5)]
    assert played.stream._transcript.final_until == 0
    await played.post(Step(2 * FRAME, end, 0.5))
    assert played.stream._transcript.final_until == end


async def test_the_lag_is_what_is_not_processed(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    assert played.stream.end == 10 * FRAME
    assert played.stream.lag == 10 * FRAME / SAMPLE_RATE
    await played.post(Step(4 * FRAME, 0, 0.5))
    assert played.stream.lag == 6 * FRAME / SAMPLE_RATE
    await played.post(Step(11 * FRAME, 0, 0.5))
    assert played.stream.lag == 0


async def test_what_is_stored_is_acknowledged_once_and_discarded(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    assert played.stream.buffered == 10 * FRAME
    await final_word(played, "one", 4 * FRAME)
    await played.until(lambda: played.of(events.Ack))
    assert played.stream.buffered == 6 * FRAME
    await final_word(played, "two", 4 * FRAME)
    await played.until(lambda: played.stream._transcript.is_stored)
    await played.post()
    assert played.of(events.Ack) == [events.Ack(4 * FRAME)]


async def test_a_flush_is_answered_when_the_engine_has_reached_it(play):
    played = await play().is_ready()
    played.stream.feed(PCM[: 2 * FRAME_BYTES + 200])
    played.stream.flush(7)
    assert played.stream.pending_flushes == 1
    await played.until(lambda: FLUSH in played.slot.markers)
    await played.post(word("one"), Marker(FLUSH))
    assert played.of(events.Flushed) == [events.Flushed(7)]
    assert played.stream._transcript.final_until == 2 * FRAME
    assert played.stream.pending_flushes == 0


async def test_the_position_in_the_queue_is_sent_until_the_stream_is_ready(play):
    played = play()
    played.request.answers = [events.Queued(3), events.Starting("a model"), events.Queued(1)]
    await played.is_ready()
    assert played.received[:3] == [events.Queued(3), events.Starting("a model"), events.Queued(1)]
    played.request.answers = [events.Queued(2)]
    await played.post(LOST)
    await played.until(lambda: played.stream._audio.has_slot)
    assert events.Queued(2) not in played.received  # the client need not know


async def test_a_grant_that_comes_after_the_request_was_withdrawn_gives_no_slot(play):
    played = play()
    played.request.answers = [events.Queued(1)] * 10_000
    await played.until(lambda: played.of(events.Queued))
    await played.post(Ready("worker"))
    assert not played.task.done()
    assert not played.stream._audio.has_slot
    assert not played.stream.accepts_audio


# --- Intents --------------------------------------------------------------------------------------------------------


async def test_a_pause_ends_with_everything_stored_and_gives_the_slot_back(play):
    played = await play().is_ready()
    slot = played.slot
    played.stream.feed(PCM[: 2 * FRAME_BYTES + 200])
    played.stream.set_intent(Intent.PAUSE)
    assert not played.stream.accepts_audio
    await played.until(lambda: slot.markers == [END])
    assert not played.of(events.Paused)
    await played.post(word("one"), Marker(END))
    await played.until(lambda: played.of(events.Paused))
    assert not slot.is_open
    assert played.of(events.Ack)[-1] == events.Ack(2 * FRAME + 100)
    assert (played.stream.buffered, played.stream.engine_name) == (0, "")
    await played.post()
    assert not played.request.is_open
    played.stream.set_intent(Intent.RUN)
    await played.is_ready()
    assert played.of(events.Ready)[-1].position == 2 * FRAME + 100
    assert played.of(events.Ready)[-1].words == 1
    played.stream.feed(PCM)
    assert played.slot.pcm == PCM


async def test_audio_that_comes_during_a_pause_is_transcribed_and_does_not_end_it(play):
    played = await play().is_ready()
    played.stream.set_intent(Intent.PAUSE)
    await played.until(lambda: played.of(events.Paused))
    played.stream.feed(PCM)
    await played.until(lambda: played.stream._audio.has_slot)
    await played.post(word("late"))
    await played.process_to_end()
    await played.until(lambda: events.Ack(10 * FRAME) in played.received)
    assert not played.stream._audio.has_slot
    assert not played.stream.accepts_audio
    assert played.stream._state is State.PAUSED
    assert len(played.of(events.Paused)) == 1


async def test_a_client_that_resumes_before_the_pause_has_ended_is_ready_again(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    played.stream.set_intent(Intent.RUN)  # nothing to do, but it is answered
    await played.post()
    assert len(played.of(events.Ready)) == 2
    played.stream.set_intent(Intent.PAUSE)
    await played.until(lambda: played.slot.markers == [END])
    played.stream.set_intent(Intent.RUN)
    await played.post()
    assert len(played.of(events.Ready)) == 2  # the slot has ended
    await played.post(Marker(END))
    await played.until(lambda: len(played.of(events.Ready)) == 3)
    assert played.stream._state is State.RUNNING
    assert not played.of(events.Paused)


async def test_a_stop_ends_the_stream_when_everything_is_stored(play):
    played = await play().is_ready()
    slot = played.slot
    played.stream.feed(PCM)
    played.stream.set_intent(Intent.STOP)
    await played.post(word("one"), word("two"))
    assert not played.task.done()
    await played.process_to_end()
    await played.task
    assert played.received[-1] == events.Done(str(played.stream._session.pk), 2)
    assert played.stream._state is State.DONE
    assert not slot.is_open


async def test_a_stop_waits_for_flushes(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    await played.process(10 * FRAME)
    played.stream.flush(1)
    played.stream.set_intent(Intent.STOP)
    await played.post()
    assert not played.task.done()
    await played.post(Marker(FLUSH))
    await played.task
    assert events.Flushed(1) in played.received


async def test_samples_that_the_client_discarded_are_counted(play):
    played = await play().is_ready()
    played.stream.set_intent(Intent.RUN, dropped=500)
    played.stream.set_intent(Intent.RUN, dropped=300)  # the count of an earlier message
    assert played.stream._received().dropped == 500
    played.stream.feed(PCM)
    assert played.stream._received().received == 10 * FRAME


async def test_samples_that_were_discarded_before_the_stream_has_its_session_are_counted_too(play):
    played = play()
    played.stream.set_intent(Intent.RUN, dropped=500)
    await played.is_ready()
    assert played.stream._received() == Counts(0, 500, 0)


async def test_a_client_that_sends_too_much_is_rejected(play):
    played = await play().is_ready()
    silence = bytes(2 * SAMPLE_RATE)
    for _ in range(MAX_BUFFERED // SAMPLE_RATE):
        played.stream.feed(silence)
    assert played.stream.buffered == MAX_BUFFERED == 120 * SAMPLE_RATE
    played.stream.feed(silence)
    with pytest.raises(errors.TooFast):
        played.stream.feed(silence)
    played.stream._transcript.is_failing = True
    with pytest.raises(errors.Unavailable):
        played.stream.feed(silence)


async def test_intents_that_come_faster_than_they_are_fulfilled_are_rejected(play):
    played = await play().is_ready()
    while len(played.stream._inbox) < MAX_INBOX:
        played.stream.set_intent(Intent.RUN)
    with pytest.raises(errors.TooFast):
        played.stream.set_intent(Intent.RUN)


async def test_an_engine_whose_messages_are_not_handled_ends_the_stream(play):
    played = await play().is_ready()
    for _ in range(MAX_INBOX + 1):
        played.stream._post(Partial("", 0.0, 0.0))
    with pytest.raises(errors.TooFast):
        await played.task


async def test_a_failure_ends_the_stream_and_closes_its_slot(play):
    played = await play().is_ready()
    slot = played.slot
    played.stream.fail(errors.EndedByAdmin())
    with pytest.raises(errors.EndedByAdmin):
        await played.task
    assert not slot.is_open
    assert not played.of(events.Done)
    assert played.stream._inbox._timer.cancelled()


async def test_a_stream_does_not_wait_for_its_next_tick_to_fail_or_to_miss_its_client(play, monkeypatch):
    monkeypatch.setattr("speech.live.inbox.TICK", 60.0)
    left, failed = await play().is_ready(), await play().is_ready()
    left.stream.feed(PCM)
    left.stream.detach()
    await left.until(lambda: left.stream._state is State.FINISHING)
    failed.stream.fail(errors.EndedByAdmin())
    with pytest.raises(errors.EndedByAdmin):
        await asyncio.wait_for(failed.task, 5)


# --- Lost slots -----------------------------------------------------------------------------------------------------


async def test_a_lost_slot_is_replaced_and_audio_is_sent_again_from_where_words_are_final(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    await final_word(played, "one", 4 * FRAME)
    await played.post(word("pending"), LOST)
    await played.is_ready()
    interrupted = played.of(events.Interrupted)
    assert [event.words for event in interrupted] == [1]
    assert "it crashed" in interrupted[0].message
    assert played.request.positions[-1] == 4 * FRAME
    await played.until(lambda: played.slot.pcm == PCM[4 * FRAME_BYTES :])
    assert played.stream._received().engines_lost == 1
    assert len(played.of(events.Ready)) == 1  # the client goes on


async def test_a_slot_that_another_account_gets_is_no_lost_engine(play):
    played = await play().is_ready()
    await played.post(REASSIGNED)
    await played.is_ready()
    assert "another account waits" in played.of(events.Interrupted)[0].message
    assert played.stream._received().engines_lost == 0


async def test_a_slot_that_was_given_back_cannot_be_lost(play):
    played = await play().is_ready()
    played.stream.set_intent(Intent.PAUSE)
    await played.until(lambda: played.of(events.Paused))
    await played.post(LOST)
    assert played.stream._received().engines_lost == 0
    assert not played.of(events.Interrupted)


async def test_a_client_that_pauses_does_not_learn_of_a_lost_slot_and_loses_no_audio(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    played.stream.set_intent(Intent.PAUSE)
    first = played.slot
    await played.until(lambda: first.markers == [END])
    await played.post(LOST)
    await played.until(lambda: played.stream._audio.has_slot)
    await played.until(lambda: played.slot is not first and played.slot.pcm == PCM)
    await played.process_to_end()
    await played.until(lambda: played.of(events.Paused))
    assert not played.of(events.Interrupted)


async def test_a_stream_that_may_not_wait_fails_without_an_engine(play):
    played = play(wait=False)
    played.request.answers = [errors.NoEngine()]
    with pytest.raises(errors.NoEngine):
        await played.task


async def test_a_stream_that_may_wait_asks_again_for_an_engine(play):
    played = play()
    played.request.answers = [errors.NoEngine(), errors.NoEngine()]
    await played.is_ready()
    assert len(played.request.positions) >= 3


# --- Clients that disconnect ----------------------------------------------------------------------------------------


async def test_a_stream_without_its_client_finishes_what_was_said(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    played.stream.detach()
    await played.until(lambda: played.stream._state is State.FINISHING)
    played.stream.feed(PCM)  # the client sends it again
    played.stream.set_intent(Intent.PAUSE)
    assert played.stream.end == 10 * FRAME
    await played.post(word("one"))
    await played.process_to_end()
    await played.task
    assert played.received[-1] == events.Done(str(played.stream._session.pk), 1)


async def test_a_client_that_disconnects_within_a_segment_is_waited_for(play, monkeypatch):
    monkeypatch.setattr("speech.live.stream_state.RECONNECT_TIMEOUT", 60.0)
    played = await play().is_ready()
    played.stream.feed(PCM)
    await played.post(Partial("hel", 0.0, 0.1))
    played.stream.detach()
    await played.post()
    assert played.stream._state is State.RUNNING
    await played.post(Endpoint(0.0, 0.1))
    await played.until(lambda: played.stream._state is State.FINISHING)


async def test_an_empty_partial_ends_the_wait_too(play, monkeypatch):
    monkeypatch.setattr("speech.live.stream_state.RECONNECT_TIMEOUT", 60.0)
    played = await play().is_ready()
    await played.post(Partial("hel", 0.0, 0.1), Partial("", 0.0, 0.0))
    played.stream.detach()
    await played.until(lambda: played.stream._state is not State.RUNNING)


async def test_a_stream_whose_client_leaves_while_it_waits_ends_at_once(play):
    played = play()
    played.request.answers = [events.Queued(1)] * 1_000
    await played.until(lambda: played.of(events.Queued))
    played.stream.detach()
    await played.task
    assert not played.request.is_open


# --- Processes that end ---------------------------------------------------------------------------------------------


async def test_a_process_that_ends_asks_an_unsaved_stream_to_come_back_at_once(play):
    played = await play().is_ready()
    played.stream.feed(PCM)
    played.stream._drain({})
    with pytest.raises(errors.Restarting):
        await asyncio.wait_for(played.task, 5)


# --- Rest -----------------------------------------------------------------------------------------------------------


async def test_a_stream_that_gets_no_audio_gives_its_slot_back_and_audio_gets_it_another(play, monkeypatch):
    played = await play().is_ready()
    slot = played.slot
    monkeypatch.setattr("speech.live.stream_state.REST_AFTER", 0.02)
    played.stream.feed(PCM[:FRAME_BYTES])
    await played.process(FRAME)
    await played.until(lambda: played.stream.is_resting)
    await played.process_to_end()
    assert not slot.is_open
    monkeypatch.setattr("speech.live.stream_state.REST_AFTER", 60.0)
    monkeypatch.setattr("speech.live.inbox.TICK", 60.0)
    await asyncio.sleep(0.02)  # the next tick comes too late
    played.stream.keep_slot()  # it has none
    played.stream.feed(PCM[FRAME_BYTES:])
    assert not played.stream.is_resting
    await played.is_ready()
    await played.until(lambda: played.slot.pcm == PCM[FRAME_BYTES:])
    assert len(played.of(events.Ready)) == 1


async def test_a_flush_ends_a_rest_too(play, monkeypatch):
    played = await play().is_ready()
    monkeypatch.setattr("speech.live.stream_state.REST_AFTER", 0.02)
    await played.until(lambda: played.stream.is_resting)
    monkeypatch.setattr("speech.live.stream_state.REST_AFTER", 60.0)
    await played.process_to_end()
    played.stream.flush(3)
    assert not played.stream.is_resting
    await played.is_ready()
    await played.until(lambda: FLUSH in played.slot.markers)
    await played.post(Marker(FLUSH))
    assert events.Flushed(3) in played.received


async def test_a_stream_that_keeps_its_slot_says_so_to_the_engine(play):
    played = await play().is_ready()
    count = len(played.slot.sent)
    played.stream.keep_slot()
    assert len(played.slot.sent) == count + 1
