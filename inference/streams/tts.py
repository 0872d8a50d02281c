"""A stream that receives text."""

from inference.messages import Audio, Down, Open, Text
from inference.observability.tracing import SlotTrace
from inference.streams.base import BadInput, Stream

BACKLOG_CHARACTERS = 20_000
"""Maximum of unprocessed text; web processes send a few sentences ahead (`speech/synthesis/job.py`)."""


class TtsStream(Stream):
    def __init__(self, request: Open, trace: SlotTrace) -> None:
        super().__init__(request, trace)
        self._backlog = ""
        self._is_busy = False  # the engine has output left even without new text

    def receive(self, message: Audio | Text) -> None:
        if isinstance(message, Audio):
            raise BadInput("received audio for a text-to-speech engine")
        if not message.text:
            return
        self._backlog += f"{message.text} "
        self._received += len(message.text) + 1
        if len(self._backlog) > BACKLOG_CHARACTERS:
            raise BadInput("text arrived faster than the engine can speak it")

    @property
    def has_input(self) -> bool:
        return self._is_busy or self._ready > 0

    @property
    def _ready(self) -> int:
        """Characters that may be sent; text after a marker waits until everything before it is spoken."""
        return self._markers[0][0] - self._consumed if self._markers else len(self._backlog)

    def next_input(self) -> str:
        ready = self._ready
        text, self._backlog = self._backlog[:ready], self._backlog[ready:]
        self._consumed += ready
        self._is_busy = False  # unless the step returns events
        return text

    def on_event(self, event: Down) -> Down:
        self._is_busy = True
        return event

    def on_flushed(self) -> None:
        super().on_flushed()
        self._is_busy = True

    @property
    def marker_is_due(self) -> bool:
        return self._is_flushed and not self._is_busy
