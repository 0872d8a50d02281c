"""Template context of the pages that show a transcript: the owner's and the shared one."""

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
    """URLs of a session's audio, for the player."""

    url: str
    peaks: str
    seconds: float

    @classmethod
    def of(cls, session: Session, flac: str, wav: str, peaks: str) -> "AudioSource | None":
        """None if the session has no audio."""
        recording = Recording(session.pk)
        if not (session.saves_audio and (samples := recording.samples)):
            return None
        return cls(flac if recording.flac else f"{wav}?samples={samples}", peaks, samples / SAMPLE_RATE)


def transcript_context(request: HttpRequest, session: Session, audio: AudioSource | None) -> dict[str, Any]:
    return {
        "session": session,
        "segments": transcript_segments(session),
        "query": Query(request.GET.get("q", "")),
        "audio": audio,
        "seconds": max(session.duration, audio.seconds if audio else 0),
    }
