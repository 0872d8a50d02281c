"""Segments that a stream inserts into its transcript: replies of a conversation, and typed text."""

import asyncio

import pytest

from inference import messages
from inference.messages import SAMPLE_RATE
from speech.gateway.database import in_database
from speech.live.transcript import Stored, Transcript
from speech.live.unsaved_session import UnsavedSession
from speech.models import Counts, Session, TimedWord
from speech.models.conversation import ASSISTANT, USER
from speech.models.words import WORD_LENGTH
from tests.support.speech.sessions import create_user

pytestmark = pytest.mark.django_db(transaction=True)


class Driver:
    """A transcript whose engine and client the test plays."""

    def __init__(self, session: Session | UnsavedSession) -> None:
        self.session = session
        self.stored: list[Stored] = []
        self.failures: list[Exception] = []
        self.transcript = Transcript(
            session, self.stored.append, self.failures.append, lambda sample: lambda: None, speaker=USER
        )

    @classmethod
    async def start(cls, session: Session | UnsavedSession | None = None) -> "Driver":
        driver = cls(session or await in_database(lambda: Session.acquire(create_user(), None, False, True)))
        await driver.transcript.start("checksum", "en")
        return driver

    @classmethod
    async def resume(cls, session: Session) -> "Driver":
        return await cls.start(await in_database(Session.acquire, session.owner, session.pk, False, True))

    def say(self, text: str, start: float, is_ended: bool = True) -> None:
        """The engine emits the words, a second each; they are not final yet."""
        words = text.split()
        for n, word in enumerate(words):
            self.transcript.add_word(messages.Word(word, start + n, start + n + 0.9, 0.9))
        if is_ended:
            self.transcript.add_endpoint(messages.Endpoint(start, start + len(words)))

    def reply(self, text: str, start: float, speaker: str = ASSISTANT) -> None:
        words = [TimedWord(word, start + n, start + n + 0.9, None) for n, word in enumerate(text.split())]
        self.transcript.insert_segment(speaker, words)

    def advance(self, seconds: float) -> None:
        self.transcript.advance_final_until(round(seconds * SAMPLE_RATE))

    async def store(self) -> None:
        self.transcript.store_if_due(Counts(0, 0, 0), at_once=True)
        if self.transcript._storing:
            await asyncio.wait([self.transcript._storing])
        assert not self.failures

    async def end(self) -> None:
        await self.transcript.end(0, Counts(0, 0, 0))


async def segments(session) -> list[tuple[str, str]]:
    def read():
        return list(session.segments.values_list("speaker", "text"))

    return await in_database(read)


async def words(session) -> list[tuple[int, int, str]]:
    """Index, segment and text of each word."""

    def read():
        return list(session.words.values_list("index", "segment_index", "text"))

    return await in_database(read)


async def test_a_reply_between_two_segments_is_stored_with_its_speaker_in_order_of_time():
    driver = await Driver.start()
    driver.say("good morning", 0)
    driver.advance(3)
    driver.reply("good morning to you", 3)
    driver.say("thanks", 8)
    driver.advance(10)
    await driver.end()
    assert await segments(driver.session) == [
        (USER, "good morning"),
        (ASSISTANT, "good morning to you"),
        (USER, "thanks"),
    ]


async def test_a_reply_is_numbered_once_no_transcribed_word_is_pending():
    driver = await Driver.start()
    driver.say("one two", 0)
    driver.reply("three", 3)
    assert driver.transcript.words == 2
    assert not driver.transcript.is_stored
    driver.advance(3)
    assert driver.transcript.words == 3
    await driver.store()
    assert await words(driver.session) == [(0, 0, "one"), (1, 0, "two"), (2, 1, "three")]


async def test_pending_words_are_emitted_with_the_numbers_with_which_they_are_stored():
    driver = await Driver.start()
    driver.say("one", 0)
    driver.reply("a reply", 1)
    emitted = driver.transcript.add_word(messages.Word("two", 2.0, 2.9, 0.9))
    driver.advance(4)
    await driver.store()
    assert (emitted.index, emitted.segment, "two") in await words(driver.session)


async def test_a_segment_goes_on_behind_a_reply_that_was_inserted_into_it():
    """An engine that makes words final before their segment ends."""
    driver = await Driver.start()
    driver.say("well I", 0, is_ended=False)
    driver.advance(2)
    driver.reply("sorry—", 1.5)
    driver.say("think so", 2)
    driver.advance(5)
    driver.say("yes", 5)
    driver.advance(7)
    await driver.store()
    assert [segment for _, segment, _ in await words(driver.session)] == [0, 0, 1, 0, 0, 2]
    assert await segments(driver.session) == [(ASSISTANT, "sorry—"), (USER, "well I think so"), (USER, "yes")]


async def test_an_open_segment_goes_on_in_the_next_stream():
    driver = await Driver.start()
    driver.say("well I", 0, is_ended=False)
    driver.advance(2)
    driver.reply("sorry—", 1.5)
    await driver.end()
    again = await Driver.resume(driver.session)
    assert again.transcript.words == 3
    again.say("think so", 2)
    again.advance(5)
    await again.end()
    assert await segments(again.session) == [(ASSISTANT, "sorry—"), (USER, "well I think so")]


async def reply_that_waits() -> Driver:
    """A final word, two words that are not final yet, and a reply after them."""
    driver = await Driver.start()
    driver.say("zero", 0)
    driver.advance(1)
    driver.say("one two", 1)
    driver.reply("hello there", 3)
    return driver


async def test_a_reply_that_waits_is_stored_when_the_engine_is_lost():
    driver = await reply_that_waits()
    assert driver.transcript.discard_pending() == 1
    assert driver.transcript.words == 3
    driver.say("one two", 1)
    driver.advance(4)
    await driver.store()
    assert await words(driver.session) == [
        (0, 0, "zero"),
        (1, 1, "hello"),
        (2, 1, "there"),
        (3, 2, "one"),
        (4, 2, "two"),
    ]


async def test_a_reply_that_waits_is_stored_when_the_stream_ends():
    driver = await reply_that_waits()
    await driver.end()
    assert await segments(driver.session) == [(USER, "zero"), (USER, "one two"), (ASSISTANT, "hello there")]


async def test_a_reply_before_the_first_slot_is_numbered_after_the_stored_words():
    driver = await Driver.start()
    driver.say("one", 0)
    driver.advance(2)
    await driver.end()
    again = Driver(await in_database(Session.acquire, driver.session.owner, driver.session.pk, False, True))
    again.reply("two", 2)
    assert again.transcript.words == 0
    await again.transcript.start("checksum", "en")
    assert again.transcript.words == 2
    await again.end()
    assert await words(again.session) == [(0, 0, "one"), (1, 1, "two")]


async def test_a_resumed_session_keeps_replies_beyond_what_was_transcribed():
    """The process was killed: of the user's words beyond `samples`, which come again, none may stay."""
    driver = await Driver.start()
    driver.say("one two", 0)
    driver.advance(3)
    driver.reply("a reply", 4)
    await driver.store()
    driver.say("lost words", 5)
    driver.transcript.finalize_pending()
    driver.reply("cut off—", 6)
    await driver.store()
    again = await Driver.resume(driver.session)
    assert await segments(again.session) == [(USER, "one two"), (ASSISTANT, "a reply"), (ASSISTANT, "cut off—")]
    assert again.transcript.words == 8
    again.say("found words", 5)
    again.advance(8)
    await again.store()
    assert (await segments(again.session))[2] == (USER, "found words")
    assert [index for index, *_ in await words(again.session)] == [0, 1, 2, 3, 6, 7, 8, 9]


async def test_typed_text_beyond_what_was_transcribed_is_kept_too():
    driver = await Driver.start()
    driver.say("one", 0)
    driver.advance(1)
    driver.reply("typed", 3, speaker=USER)
    await driver.store()
    again = await Driver.resume(driver.session)
    assert await segments(again.session) == [(USER, "one"), (USER, "typed")]


async def test_a_repeated_commit_changes_nothing():
    driver = await Driver.start()
    driver.say("one", 0)
    driver.advance(1)
    driver.reply("two", 1)
    batch = driver.transcript._final
    for _ in range(2):
        await in_database(driver.session.commit, SAMPLE_RATE, batch.words, batch.endpoints, Counts(0, 0, 0))
    assert await words(driver.session) == [(0, 0, "one"), (1, 1, "two")]
    assert await segments(driver.session) == [(USER, "one"), (ASSISTANT, "two")]


async def test_a_segment_without_words_is_not_stored():
    driver = await Driver.start()
    driver.transcript.insert_segment(ASSISTANT, [])
    driver.transcript.insert_segment(ASSISTANT, [TimedWord("", 0.0, 1.0, None)])
    assert (driver.transcript.words, driver.transcript.is_stored) == (0, True)


async def test_words_are_stored_whatever_the_language_model_writes():
    driver = await Driver.start()
    driver.advance(1)
    driver.transcript.insert_segment(
        ASSISTANT, [TimedWord("nul\0 \ud83d", 0.0, 0.5, None), TimedWord("x" * 2 * WORD_LENGTH, None, None, None)]
    )
    await driver.end()
    assert [text for *_, text in await words(driver.session)] == ["nul ?", "x" * WORD_LENGTH, "x" * WORD_LENGTH]


async def test_an_unsaved_stream_takes_replies_too():
    driver = await Driver.start(UnsavedSession())
    driver.say("one", 0)
    driver.reply("two", 1)
    driver.advance(2)
    await driver.store()
    assert driver.transcript.is_stored
    assert driver.transcript.words == 2
