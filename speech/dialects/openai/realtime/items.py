"""From what a stream tells to OpenAI's events: an utterance is an item, with deltas as its words come."""

from collections.abc import Iterator
from math import ceil
from typing import Any
from uuid import uuid4

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.openai.realtime.session import Session
from speech.dialects.openai.transcript_formats import logprobs

Events = dict[str, Any]
TRANSCRIPTION = "conversation.item.input_audio_transcription"
LOGPROBS = f"{TRANSCRIPTION.removeprefix('conversation.')}.logprobs"


class Item:
    def __init__(self, start: float) -> None:
        self.id = f"item_{uuid4().hex[:20]}"
        self.start = start  # seconds
        self.words: list[events.Word] = []


class Items:
    def __init__(self, session: Session) -> None:
        self._session = session
        self._item: Item | None = None
        self._previous: str | None = None
        self._words = 0
        self._processed = 0.0

    def on_event(self, event: events.Event) -> Iterator[Events]:
        match event:
            case events.Step(sample=sample):
                self._processed = sample / SAMPLE_RATE
            case events.Partial(text=text, start=start) if text:
                yield from self._begin(start)
            case events.Word() if event.index >= self._words:  # not one that is heard again, by another engine
                self._words = event.index + 1
                yield from self._begin(event.start)
                yield from self._delta(event)
            case events.Endpoint(end=end) if self._session.has_server_vad and self._item:
                yield from self.finish(end)
            case events.Done() if self._item:
                yield from self.finish(self._processed)

    def finish(self, end: float | None = None) -> Iterator[Events]:
        """The item is over: at `end` (seconds), or because the client said so."""
        end = self._processed if end is None else end
        if not self._item:
            yield from self._begin(end)
        item, self._item = self._item, None
        assert item  # noqa: S101  (`_begin` made it)
        if self._session.has_server_vad:
            yield {"type": "input_audio_buffer.speech_stopped", "item_id": item.id, "audio_end_ms": round(1000 * end)}
        yield {"type": "input_audio_buffer.committed", "item_id": item.id, "previous_item_id": self._previous}
        told: Events = {"id": item.id, "type": "message", "role": "user", "status": "completed"}
        told["content"] = [{"type": "input_audio", "transcript": None}]
        yield {"type": "conversation.item.added", "item": told, "previous_item_id": self._previous}
        yield {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": item.id,
            "content_index": 0,
            "transcript": " ".join(word.text for word in item.words),
            "usage": {"type": "duration", "seconds": ceil(end - item.start)},
            **self._extra(item.words),
        }
        self._previous = item.id

    def drop(self) -> None:
        self._item = None

    def _begin(self, start: float) -> Iterator[Events]:
        if self._item:
            return
        self._item = Item(start)
        if self._session.has_server_vad:
            at = round(1000 * start)
            yield {"type": "input_audio_buffer.speech_started", "item_id": self._item.id, "audio_start_ms": at}

    def _delta(self, word: events.Word) -> Iterator[Events]:
        assert self._item  # noqa: S101  (`_begin` made it)
        delta = f" {word.text}" if self._item.words else word.text
        self._item.words.append(word)
        told = {"item_id": self._item.id, "content_index": 0, "delta": delta}
        yield {"type": f"{TRANSCRIPTION}.delta", **told, **self._extra([word])}

    def _extra(self, words: list[events.Word]) -> Events:
        return {"logprobs": logprobs(words)} if LOGPROBS in self._session.include else {}
