"""What was said so far, as these protocols send it: segments that are finished, and one that still grows."""

from speech import events
from speech.batch.transcription import Segment
from speech.text.word_spacing import join_words


class LiveSegments:
    def __init__(self) -> None:
        self.finished: list[Segment] = []
        self.open: list[events.Word] = []
        """Final words of the segment that grows."""
        self.partial: events.Partial | None = None
        """What may follow them, and may still change."""
        self._words = 0  # received

    @property
    def open_text(self) -> str:
        partial = self.partial.text if self.partial else ""
        return join_words([*(word.text for word in self.open), partial])

    @property
    def open_times(self) -> tuple[float, float]:
        """Start and end of the segment that grows, in seconds. It must have a text."""
        parts: list[events.Word | events.Partial] = [*self.open, *([self.partial] if self.partial else [])]
        return parts[0].start, parts[-1].end

    def on_event(self, event: events.Event) -> bool:
        """Returns whether anything changed."""
        match event:
            case events.Word() if event.index >= self._words:  # else another engine transcribed it again
                self._words += 1
                self.open.append(event)
                self.partial = None
            case events.Partial():
                self.partial = event if event.text else None
            case events.Endpoint() | events.Flushed() | events.Done():
                return self._finish()
            case events.Interrupted():
                self.partial = None
            case _:
                return False
        return True

    def _finish(self) -> bool:
        has_changed = bool(self.open or self.partial)
        if self.open:
            self.finished.append(Segment(self.open))
        self.open, self.partial = [], None
        return has_changed
