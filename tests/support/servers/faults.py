"""Faults for `faulty_settings.py`: errors that nothing foresees, at the beginning of what a client waits for and after
a part of it."""

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django.apps import AppConfig

AT_ONCE = "fails at once"
"""Title of a session whose transcript can't be read at all. Of others, a part can."""
SEGMENTS = 500
"""Segments that can be read."""
SECONDS = 60
"""Seconds of audio that each session seems to have."""


class Fault(Exception):
    """An error that no code expects."""


class Faults(AppConfig):
    name = "tests.support.servers"
    label = "faults"

    def ready(self) -> None:
        from inference.messages import SAMPLE_RATE
        from speech import events
        from speech.dialogue.conversation import Conversation
        from speech.library.exports import document, responses
        from speech.library.recording import responses as recordings
        from speech.library.recording.recording import Recording
        from speech.live.stream import Stream
        from speech.synthesis.job import SynthesisJob

        async def transcribe(stream: Any) -> None:
            await stream._emit(events.Ready("", 0, 0, "checksum", "en", False))
            await stream._emit(events.Word(0, 0, "word", 0.0, 0.5, 1.0))
            raise Fault

        async def synthesize(job: Any) -> None:
            await job._emit(events.SynthesisStarted("tones", "a", "en"))
            await job._emit(events.Audio(bytes(2 * SAMPLE_RATE)))
            raise Fault

        async def converse(conversation: Any) -> None:
            raise Fault

        def fail(*_: Any) -> Any:
            raise Fault

        patches: list[tuple[Any, str, Any]] = [
            (Stream, "run", transcribe),
            (SynthesisJob, "run", synthesize),
            (Conversation, "run", converse),
            (document, "iterate_segments", _segments),
            (responses, "CHUNK", 4096),
            (responses, "YIELD_AFTER", 60.0),
            (recordings, "_read", fail),
            (recordings, "read_bytes", fail),
            (Recording, "samples", property(lambda _: SECONDS * SAMPLE_RATE)),
            (Recording, "flac", property(lambda _: Path(__file__))),
            (Recording, "peaks", fail),
        ]
        for owner, attribute, replacement in patches:
            assert hasattr(owner, attribute), f"{owner} has no {attribute}: adapt the faults"
            setattr(owner, attribute, replacement)


def _segments(session: Any) -> Iterator[Any]:
    word = SimpleNamespace(text="word", start=0.0, end=0.5, confidence=0.9)
    segment = SimpleNamespace(words=[word] * 5, start=0.0, end=3.0, speaker="", text="word word word word word")
    if session.title != AT_ONCE:
        yield from repeat(segment, SEGMENTS)
    raise Fault
