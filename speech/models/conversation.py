"""What makes a session a conversation: a language model that replies to the user, and its voice."""

import uuid
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Self

from django.db import models, transaction
from django.db.models import F, Max

from inference.messages import SAMPLE_RATE
from speech.models.usage import ConversationUsage
from speech.models.words import Segment, Word
from speech.text.word_spacing import join_words

USER, ASSISTANT = "User", "Assistant"
"""Values of `Segment.speaker`."""
INSTRUCTIONS_LENGTH = 4_000
"""Maximum of the characters that a user can write; the column takes more."""
NAME_LENGTH = 200  # characters of the names of models, voices and engines


class PastTurn(NamedTuple):
    speaker: str
    text: str


class Conversation(models.Model):
    session = models.OneToOneField("speech.Session", on_delete=models.CASCADE, related_name="conversation")
    instructions = models.TextField(blank=True)
    model = models.CharField(max_length=NAME_LENGTH)
    """Name of the language model."""
    voice = models.CharField(max_length=NAME_LENGTH)
    voice_engine = models.CharField(max_length=NAME_LENGTH)

    prompt_tokens = models.BigIntegerField(default=0)
    completion_tokens = models.BigIntegerField(default=0)
    played_samples = models.BigIntegerField(default=0)
    """Audio of replies that was played."""
    turns = models.PositiveIntegerField(default=0)
    """Number of replies."""

    def __str__(self) -> str:
        return f"{self.session} with {self.model}"

    @classmethod
    def open(cls, session_id: uuid.UUID, *, instructions: str, model: str, voice: str, voice_engine: str) -> Self:
        """Return the conversation of a session, created on the first call, with these settings."""
        settings = {"instructions": instructions, "model": model, "voice": voice, "voice_engine": voice_engine}
        with transaction.atomic():
            conversation, is_new = cls.objects.update_or_create(session_id=session_id, defaults=settings)
            # This also loads the session, so that `add_usage` knows the owner after the session was deleted.
            ConversationUsage.add(conversation.session.owner_id, conversations=int(is_new))
        return conversation

    @property
    def played_seconds(self) -> float:
        return self.played_samples / SAMPLE_RATE

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    def turns_so_far(self, limit: int) -> list[PastTurn]:
        """The newest `limit` turns, in order of time, as they were transcribed and spoken."""
        session_id = self.session_id
        segments = Segment.objects.original().filter(session=session_id)
        spoken = [(each.start, PastTurn(each.speaker or USER, each.text)) for each in segments if each.text]
        words = Word.objects.filter(session=session_id).exclude(segment_index__in=segments.values("index"))
        spoken += [(word.start, PastTurn(USER, word.text)) for word in words]  # of a segment that was cut off
        ordered = [turn for _, turn in sorted(spoken, key=lambda each: each[0])]
        turns = [
            PastTurn(speaker, join_words(turn.text for turn in group))
            for speaker, group in groupby(ordered, attrgetter("speaker"))
        ]
        return turns[-limit:] if limit else []

    def reply_end(self, start: float, end: float) -> float:
        """Second at which a stored reply ends that was played between these seconds of the session; 0 if none is."""
        replies = Segment.objects.original().filter(session=self.session_id, speaker=ASSISTANT, is_inserted=True)
        last: float | None = replies.filter(start__lt=end, end__gt=start).aggregate(last=Max("end"))["last"]
        return last or 0.0

    def add_usage(self, prompt_tokens: int, completion_tokens: int, played_samples: int, turns: int) -> None:
        """Add what a stream used, also to the owner's totals."""
        with transaction.atomic():
            Conversation.objects.filter(pk=self.pk).update(
                prompt_tokens=F("prompt_tokens") + prompt_tokens,
                completion_tokens=F("completion_tokens") + completion_tokens,
                played_samples=F("played_samples") + played_samples,
                turns=F("turns") + turns,
            )
            ConversationUsage.add(
                self.session.owner_id,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                played_samples=played_samples,
                replies=turns,
            )
