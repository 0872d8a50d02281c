"""What a user keeps."""

from speech.models.corrections import ChangedMeanwhile, Correction
from speech.models.ledger import Counts, Ledger
from speech.models.session import Session
from speech.models.session_set import ALIVE_FOR, Retention, SessionQuerySet
from speech.models.share import Share
from speech.models.tag import Tag
from speech.models.upload import Upload
from speech.models.words import Segment, Word
from speech.text.alignment import Spoken

__all__ = [
    "ALIVE_FOR",
    "ChangedMeanwhile",
    "Correction",
    "Counts",
    "Ledger",
    "Retention",
    "Segment",
    "Session",
    "SessionQuerySet",
    "Share",
    "Spoken",
    "Tag",
    "Upload",
    "Word",
]
