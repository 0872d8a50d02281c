"""When and how a live stream's words are stored."""

import asyncio
import threading

import pytest
from django.db import DatabaseError

from inference import messages
from inference.messages import SAMPLE_RATE
from speech import events
from speech.errors import TakenOver, Unavailable
from speech.live.transcript import STORE_SILENCE_INTERVAL, STORE_WORDS_INTERVAL, Stored, Transcript
from speech.live.unsaved_session import UnsavedSession
from speech.models import Counts, NextNumbers, TimedWord

COUNTS = Counts(7, 8, 9)


class RecordedSession(UnsavedSession):
    """Keeps what is stored; `error` is raised instead, `is_current` is what a commit returns."""

    samples = 100

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple] = []
        self.error: Exception | None = None
        self.is_current = True
        self.may_commit = threading.Event()
        self.may_commit.set()
        self.next = NextNumbers()

    def start(self, engine, language):
        self._call("start", engine, language)
        return self.next

    def commit(self, samples, words, endpoints, counts):
        assert self.may_commit.wait(10)
        self._call("commit", samples, [word.text for word in words], [end.segment for end in endpoints], counts)
        return self.is_current

    def end(self):
        self._call("end")

    def _call(self, *call):
        if self.error:
            raise self.error
        self.calls.append(call)

    @property
    def commits(self):
        return [call[1:4] for call in self.calls if call[0] == "commit"]


class Storing:
    """A transcript with what it reports; `now` is its clock."""

    def __init__(self, monkeypatch):
        self.now = 1_000.0
        self.session = RecordedSession()
        self.reports: list[Stored | Exception] = []
        self.records: list[int] = []
        with monkeypatch.context() as context:
            context.setattr("speech.live.transcript.time", self)
            self.transcript = Transcript(self.session, self.reports.append, self.reports.append, self._record, "Ann")

    def monotonic(self):
        return self.now

    def _record(self, sample):
        return lambda: self.session.calls.append(("record", sample))

    def say(self, text, is_ended=False):
        word = self.transcript.add_word(messages.Word(text, 0.0, 0.1, None))
        if is_ended:
            self.transcript.add_endpoint(messages.Endpoint(0.0, 0.1))
        return word

    async def store(self, at_once=False):
        self.transcript.store_if_due(COUNTS, at_once)
        await self.finish()

    async def finish(self):
        if self.transcript._storing:
            await asyncio.wait([self.transcript._storing])


@pytest.fixture
async def storing(monkeypatch):
    storing = Storing(monkeypatch)
    monkeypatch.setattr("speech.live.transcript.time", storing)
    await storing.transcript.start("fast", "en")
    storing.session.calls.clear()
    yield storing
    storing.session.may_commit.set()
    await storing.finish()


# --- When -----------------------------------------------------------------------------------------------------------


async def test_a_segment_is_stored_as_soon_as_it_is_final(storing):
    storing.say("one", is_ended=True)
    await storing.store()
    assert storing.session.commits == []
    storing.transcript.advance_final_until(500)
    await storing.store()
    assert storing.session.calls == [("record", 500), ("commit", 500, ["one"], [0], COUNTS)]
    assert storing.reports == [Stored(500)]


@pytest.mark.parametrize(("has_words", "interval"), [(True, STORE_WORDS_INTERVAL), (False, STORE_SILENCE_INTERVAL)])
async def test_words_are_stored_every_second_and_silence_every_five(storing, has_words, interval):
    assert interval == (1 if has_words else 5)
    if has_words:
        storing.say("one")
    storing.transcript.advance_final_until(500)
    storing.now += interval
    await storing.store()
    assert storing.session.commits == []
    storing.now += 0.1
    await storing.store()
    assert storing.session.commits == [(500, ["one"] if has_words else [], [])]
    storing.transcript.advance_final_until(600)
    await storing.store()  # it was stored just now
    assert len(storing.session.commits) == 1


async def test_what_a_stream_waits_for_is_stored_at_once_but_only_once(storing):
    storing.transcript.advance_final_until(500)
    assert not storing.transcript.is_stored
    storing.transcript.store_if_due(COUNTS)
    assert not storing.transcript._storing
    await storing.store(at_once=True)
    assert storing.transcript.is_stored
    await storing.store(at_once=True)
    assert storing.session.commits == [(500, [], [])]


async def test_what_becomes_final_while_something_is_stored_is_stored_after_it(storing):
    storing.session.may_commit.clear()
    storing.say("one", is_ended=True)
    storing.transcript.advance_final_until(500)
    storing.transcript.store_if_due(COUNTS)
    await asyncio.sleep(0)
    storing.say("two", is_ended=True)
    storing.transcript.advance_final_until(600)
    storing.transcript.store_if_due(COUNTS)
    storing.session.may_commit.set()
    await storing.finish()
    assert storing.reports == [Stored(500)]
    assert not storing.transcript.is_stored
    await storing.store()
    assert storing.session.commits == [(500, ["one"], [0]), (600, ["two"], [1])]
    assert storing.transcript.is_stored


# --- What -----------------------------------------------------------------------------------------------------------


async def test_a_position_never_goes_back(storing):
    storing.transcript.advance_final_until(500)
    storing.transcript.advance_final_until(400)
    assert storing.transcript.final_until == 500


async def test_a_segment_does_not_end_before_its_last_word_is_final(storing):
    for start in (1.0, 3.0):
        storing.transcript.add_word(messages.Word("first", start, start + 0.1, None))
    storing.transcript.add_endpoint(messages.Endpoint(1.0, 3.1))
    storing.transcript.add_word(messages.Word("second", 4.0, 4.1, None))
    storing.transcript.advance_final_until(2 * SAMPLE_RATE)
    assert [word.start for word in storing.transcript._final.words] == [1.0]
    assert storing.transcript._final.endpoints == []


async def test_the_session_says_where_the_numbers_begin(storing):
    storing.session.next = NextNumbers(5, 3, 2)
    transcript = Transcript(storing.session, storing.reports.append, storing.reports.append, storing._record)
    assert transcript.final_until == 100
    assert transcript.is_stored
    await transcript.start("fast", "en")
    await transcript.start("another", "en")
    assert storing.session.calls == [("start", "fast", "en")]
    word = transcript.add_word(messages.Word("on", 1.0, 1.1, 0.5))
    assert word == events.Word(5, 2, "on", 1.0, 1.1, 0.5)
    assert transcript.add_endpoint(messages.Endpoint(1.0, 1.1, "nl")) == events.Endpoint(2, 1.0, 1.1, "nl", "")
    assert transcript.add_word(messages.Word("next", 2.0, 2.1, None)).segment == 3


async def test_inserted_segments_are_counted_when_they_are_stored(storing):
    storing.transcript.insert_segment("Bot", [TimedWord("yes", 1.0, 1.5, None), TimedWord("no", None, None, None)])
    storing.transcript.insert_segment("Bot", [TimedWord("late", 4.0, 5.0, None), TimedWord("early", 3.0, 3.5, None)])
    assert storing.transcript.stored_insertions == 0
    final = storing.transcript._final
    assert [(word.index, word.start, word.end) for word in final.words] == [
        (0, 1.0, 1.5),
        (1, 1.5, 1.5),
        (2, 4.0, 5.0),
        (3, 3.0, 3.5),
    ]
    assert [(end.segment, end.start, end.end, end.speaker) for end in final.endpoints] == [
        (0, 1.0, 1.5, "Bot"),
        (1, 3.0, 5.0, "Bot"),
    ]
    await storing.store()
    assert storing.transcript.stored_insertions == 2
    assert storing.say("user").segment == 2


async def test_a_reply_has_a_segment_of_its_own_behind_one_that_goes_on(storing):
    storing.say("one", is_ended=True)
    storing.say("two")
    storing.transcript.advance_final_until(500)
    storing.transcript.insert_segment("Bot", [TimedWord("yes", 1.0, 1.5, None)])
    assert [word.segment for word in storing.transcript._final.words] == [0, 1, 2]
    assert storing.say("three").segment == 1


async def test_a_word_without_times_is_where_the_transcript_is(storing):
    storing.transcript.advance_final_until(2 * SAMPLE_RATE)
    storing.transcript.insert_segment("Bot", [TimedWord("yes", None, None, None)])
    (word,) = storing.transcript._final.words
    assert (word.start, word.end) == (2.0, 2.0)


async def test_a_reply_before_the_session_has_numbers_waits_for_them(monkeypatch):
    storing = Storing(monkeypatch)
    storing.transcript.insert_segment("Bot", [TimedWord("yes", 1.0, 1.5, None)])
    assert not storing.transcript.is_stored
    await storing.transcript.start("fast", "en")
    await storing.store(at_once=True)
    assert storing.session.commits == [(100, ["yes"], [0])]


# --- Failures -------------------------------------------------------------------------------------------------------


async def test_a_database_that_fails_is_tried_again_every_second(storing):
    storing.session.error = DatabaseError("down")
    storing.say("one", is_ended=True)
    storing.transcript.advance_final_until(500)
    await storing.store()
    assert storing.reports == [Stored(None)]
    assert storing.transcript.is_failing
    storing.session.error = None
    await storing.store()
    await storing.store(at_once=True)
    storing.now += STORE_WORDS_INTERVAL
    await storing.store()
    assert storing.session.commits == []
    storing.now += 0.1
    await storing.store()
    assert storing.session.commits == [(500, ["one"], [0])]
    assert storing.reports == [Stored(None), Stored(500)]
    assert not storing.transcript.is_failing


async def test_an_outage_is_logged_once_and_its_end_too(storing, caplog):
    caplog.set_level("INFO", logger="speech.live.transcript")
    storing.session.error = DatabaseError("down")
    for _ in range(3):
        storing.now += STORE_SILENCE_INTERVAL + 0.1
        await storing.store()
    assert len([record for record in caplog.records if "could not store session" in record.message]) == 1
    storing.session.error = None
    for _ in range(2):
        storing.now += STORE_SILENCE_INTERVAL + 0.1
        await storing.store()
        assert len([record for record in caplog.records if record.levelname == "INFO"]) == 1


async def test_an_unexpected_error_ends_the_stream(storing):
    storing.session.error = ValueError("a fault")
    await storing.store(at_once=True)
    storing.transcript.advance_final_until(500)
    await storing.store(at_once=True)
    assert [type(report) for report in storing.reports] == [Unavailable]
    assert storing.transcript._storing is None


async def test_a_session_that_another_stream_has_taken_ends_the_stream(storing):
    storing.session.is_current = False
    storing.transcript.advance_final_until(500)
    await storing.store(at_once=True)
    assert [type(report) for report in storing.reports] == [TakenOver]
    assert not storing.transcript.is_stored


async def test_a_stream_cannot_start_without_the_database(monkeypatch):
    storing = Storing(monkeypatch)
    storing.session.error = DatabaseError("down")
    with pytest.raises(Unavailable):
        await storing.transcript.start("fast", "en")


# --- The end --------------------------------------------------------------------------------------------------------


async def test_at_the_end_all_words_and_the_audio_that_was_received_are_stored(storing):
    storing.say("one")
    storing.transcript.advance_final_until(500)
    storing.say("pending")
    await storing.transcript.end(900, COUNTS)
    assert storing.session.calls == [("record", 900), ("commit", 500, ["one", "pending"], [], COUNTS), ("end",)]


async def test_at_the_end_the_audio_is_stored_even_if_no_words_are_left(storing):
    await storing.transcript.end(900, COUNTS)
    assert storing.session.calls == [("record", 900), ("end",)]


async def test_the_end_waits_for_what_is_being_stored(storing):
    storing.session.may_commit.clear()
    storing.say("one", is_ended=True)
    storing.transcript.advance_final_until(500)
    storing.transcript.store_if_due(COUNTS)
    await asyncio.sleep(0)
    ending = asyncio.create_task(storing.transcript.end(500, COUNTS))
    await asyncio.sleep(0.01)
    storing.session.may_commit.set()
    await ending
    assert storing.session.commits == [(500, ["one"], [0])]
    assert storing.session.calls[-1] == ("end",)


async def test_a_database_that_fails_at_the_end_is_no_error(storing, caplog):
    """The client sends again what could not be stored."""
    storing.session.error = DatabaseError("down")
    await storing.transcript.end(900, COUNTS)
    assert "could not end session" in caplog.text
