"""What the pages that show a transcript need, the owner's and those that a link leads to."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from inference.messages import SAMPLE_RATE
from speech.library.recording import Recording
from speech.library.search import Query
from speech.library.transcript_view import transcript_segments
from speech.models import Session


@dataclass(frozen=True)
class AudioSource:
    """Where a player finds it."""

    url: str
    peaks: str
    seconds: float

    @classmethod
    def of(cls, session: Session, flac: str, wav: str, peaks: str) -> "AudioSource | None":
        """At these addresses; None if the session has no sound."""
        recording = Recording(session.pk)
        if not (session.saves_audio and (samples := recording.samples)):
            return None
        return cls(flac if recording.flac else f"{wav}?samples={samples}", peaks, samples / SAMPLE_RATE)


def transcript_context(request: HttpRequest, session: Session, sound: AudioSource | None) -> dict[str, Any]:
    """What the transcript and the player of a page need."""
    return {
        "session": session,
        "utterances": transcript_segments(session),
        "query": Query(request.GET.get("q", "")),
        "sound": sound,
        "seconds": max(session.duration, sound.seconds if sound else 0),
    }
