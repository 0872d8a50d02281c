"""Sessions of users, and everything that belongs to them."""

from speech.models.conversation import Conversation
from speech.models.corrections import ChangedMeanwhile, Correction
from speech.models.ledger import Counts, Ledger
from speech.models.persona import Persona
from speech.models.session import Session
from speech.models.session_set import LIVE_TIMEOUT, Retention, SessionQuerySet
from speech.models.share import Share
from speech.models.tag import Tag
from speech.models.upload import Upload
from speech.models.usage import ConversationUsage
from speech.models.words import NextNumbers, Segment, Word
from speech.text.alignment import TimedWord

__all__ = [
    "LIVE_TIMEOUT",
    "ChangedMeanwhile",
    "Conversation",
    "ConversationUsage",
    "Correction",
    "Counts",
    "Ledger",
    "NextNumbers",
    "Persona",
    "Retention",
    "Segment",
    "Session",
    "SessionQuerySet",
    "Share",
    "Tag",
    "TimedWord",
    "Upload",
    "Word",
]
