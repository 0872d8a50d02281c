"""What the pages that show a transcript need, the owner's and those that a link leads to."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from inference.messages import SAMPLE_RATE
from speech.library.recording import Recording
from speech.library.search import Query
from speech.library.transcript_view import utterances
from speech.models import Session


@dataclass(frozen=True)
class Sound:
    """Where a player finds it."""

    url: str
    peaks: str
    seconds: float

    @classmethod
    def of(cls, session: Session, flac: str, wav: str, peaks: str) -> "Sound | None":
        """At these addresses; None if the session has no sound."""
        recording = Recording(session.pk)
        if not (session.keeps_audio and (samples := recording.samples)):
            return None
        return cls(flac if recording.flac else f"{wav}?samples={samples}", peaks, samples / SAMPLE_RATE)


def to_be_read(request: HttpRequest, session: Session, sound: Sound | None) -> dict[str, Any]:
    """What the transcript and the player of a page need."""
    return {
        "session": session,
        "utterances": utterances(session),
        "query": Query(request.GET.get("q", "")),
        "sound": sound,
        "seconds": max(session.duration, sound.seconds if sound else 0),
    }
