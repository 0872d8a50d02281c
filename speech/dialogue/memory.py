"""What was said in a conversation: stored in its session, and remembered for the language model."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Self
from uuid import UUID

from django.db import DatabaseError

from inference.messages import SAMPLE_RATE
from inference.observability.recent_errors import classify
from speech import errors, models
from speech.dialogue.history import History, Turn
from speech.dialogue.options import ConversationOptions, UnsavedReply
from speech.dialogue.replies.playback import CUT_MARK, Playback
from speech.gateway.database import in_database
from speech.live.stream import Stream
from speech.metrics import REPLY_SECONDS
from speech.models.conversation import ASSISTANT, USER, PastTurn
from speech.text.alignment import TimedWord
from speech.text.word_spacing import join_words, split_words

if TYPE_CHECKING:
    from speech.llm.client import LanguageModel

logger = logging.getLogger(__name__)

MAX_TURNS = 200
"""Turns that a continued conversation remembers, if they fit the model's context."""


TIME_TOLERANCE = 0.1
"""Seconds; less than most words."""


class Memory:
    """The stream stores the user's words itself, in the order in which it recognizes them."""

    def __init__(
        self,
        stream: Stream,
        record: models.Conversation,
        model: "LanguageModel",
        instructions: str,
        past: Sequence[PastTurn],
    ) -> None:
        self.past = past
        """Turns of a conversation that is continued."""
        self._stream = stream
        self._record = record
        self._model = model
        self._counted = (0, 0)  # tokens
        turns = [Turn(turn.speaker == USER, turn.text) for turn in past]
        self.history = History(instructions, model.info.context_tokens - model.info.max_tokens, turns)
        self._unsaved: deque[int | None] = deque()  # numbers of the replies that were inserted; None: typed text
        self._saved = 0  # insertions
        self._counting: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, stream: Stream, session: UUID, model: "LanguageModel", options: ConversationOptions) -> Self:
        """Load what was said before, and store what the client has played in addition. Raises `Unavailable`."""
        try:
            record = await in_database(
                models.Conversation.open,
                session,
                instructions=options.instructions,
                model=model.info.name,
                voice=options.voice.voice,
                voice_engine=options.voice.engine,
            )
            past = await in_database(record.turns_so_far, MAX_TURNS)
            unsaved = [await in_database(_without_stored, reply, record) for reply in options.unsaved or ()]
        except DatabaseError as error:
            logger.error("could not open conversation %s: %r", session, error, extra=classify(error))
            raise errors.Unavailable from None
        memory = cls(stream, record, model, options.instructions, past)
        for reply in unsaved:
            if reply.words:
                memory._add_unsaved(reply)
        return memory

    def add_typed(self, text: str) -> None:
        now = self._stream.end / SAMPLE_RATE
        self._insert(USER, [TimedWord(word, now, now, None) for word in split_words(text)], None)

    def add_reply(self, playback: Playback) -> str:
        """Store the words that were played, and return them."""
        words = playback.said()
        if words:
            self._insert(ASSISTANT, words, playback.reply.number)
            self.history.add_reply(_text_of(words))
        REPLY_SECONDS.inc(playback.played / SAMPLE_RATE)
        self._count(playback.played, replies=1)
        return _text_of(words)

    def pop_saved(self) -> list[int]:
        """Numbers of the replies that were stored since the last call."""
        count, self._saved = self._stream.stored_insertions - self._saved, self._stream.stored_insertions
        saved = [self._unsaved.popleft() for _ in range(min(count, len(self._unsaved)))]
        return [number for number in saved if number is not None]

    async def close(self) -> None:
        """Count the tokens of replies that were not played, and wait until everything is counted."""
        if self._model.tokens != self._counted:
            self._count(0, replies=0)
        if self._counting:
            await asyncio.wait(self._counting)

    def _insert(self, speaker: str, words: Sequence[TimedWord], number: int | None) -> None:
        self._stream.insert_segment(speaker, words)
        self._unsaved.append(number)

    def _add_unsaved(self, reply: UnsavedReply) -> None:
        words = [*reply.words]
        if not reply.is_complete:
            words[-1] = words[-1]._replace(text=words[-1].text.removesuffix(CUT_MARK) + CUT_MARK)
        self._insert(ASSISTANT, words, None)
        self.history.add_reply(_text_of(words))
        self.past = [*self.past, PastTurn(ASSISTANT, _text_of(words))]

    def _count(self, samples: int, replies: int) -> None:
        prompt, completion = self._model.tokens
        tokens = prompt - self._counted[0], completion - self._counted[1]
        self._counted = prompt, completion
        task = asyncio.create_task(self._store_usage(*tokens, samples, replies))
        self._counting.add(task)
        task.add_done_callback(self._counting.discard)

    async def _store_usage(self, prompt_tokens: int, completion_tokens: int, samples: int, replies: int) -> None:
        try:
            await in_database(self._record.add_usage, prompt_tokens, completion_tokens, samples, replies)
        except DatabaseError as error:
            logger.error("could not count a reply: %r", error, extra=classify(error))


def _text_of(words: Sequence[TimedWord]) -> str:
    return join_words(word.text for word in words)


def _without_stored(reply: UnsavedReply, record: models.Conversation) -> UnsavedReply:
    """The words that are not stored: the server may have stored more than it could confirm. The times of both differ a
    little, by the reports that were lost with the connection."""
    stored_until = record.reply_end(reply.words[0].start or 0.0, reply.words[-1].end or 0.0)
    return replace(reply, words=[word for word in reply.words if (word.start or 0.0) >= stored_until - TIME_TOLERANCE])
