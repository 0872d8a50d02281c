"""Conversion of stream events to OpenAI's: a segment is an item, and each word of it a delta."""

from collections.abc import Iterator
from math import ceil
from typing import Any
from uuid import uuid4

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.openai.realtime.session import Session
from speech.dialects.openai.transcript_formats import logprobs
from speech.text.word_spacing import gap, join_words

ServerEvent = dict[str, Any]
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

    def on_event(self, event: events.Event) -> Iterator[ServerEvent]:
        match event:
            case events.Step(sample=sample):
                self._processed = sample / SAMPLE_RATE
            case events.Partial(text=text, start=start) if text:
                yield from self._open_item(start)
            case events.Word() if event.index >= self._words:  # else another engine transcribed it again
                self._words = event.index + 1
                yield from self._open_item(event.start)
                yield from self._delta(event)
            case events.Endpoint(end=end) if self._session.has_server_vad and self._item:
                yield from self.finish(end)
            case events.Done() if self._item:
                yield from self.finish(self._processed)

    def finish(self, end: float | None = None) -> Iterator[ServerEvent]:
        """Complete the item at `end` (seconds), or, if None, at the client's commit."""
        end = self._processed if end is None else end
        if not self._item:
            yield from self._open_item(end)
        item, self._item = self._item, None
        assert item  # noqa: S101  (`_open_item` created it)
        if self._session.has_server_vad:
            yield {"type": "input_audio_buffer.speech_stopped", "item_id": item.id, "audio_end_ms": round(1000 * end)}
        yield {"type": "input_audio_buffer.committed", "item_id": item.id, "previous_item_id": self._previous}
        message: ServerEvent = {"id": item.id, "type": "message", "role": "user", "status": "completed"}
        message["content"] = [{"type": "input_audio", "transcript": None}]
        yield {"type": "conversation.item.added", "item": message, "previous_item_id": self._previous}
        yield {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": item.id,
            "content_index": 0,
            "transcript": join_words(word.text for word in item.words),
            "usage": {"type": "duration", "seconds": ceil(end - item.start)},
            **self._extra(item.words),
        }
        self._previous = item.id

    def discard(self) -> None:
        self._item = None

    def _open_item(self, start: float) -> Iterator[ServerEvent]:
        if self._item:
            return
        self._item = Item(start)
        if self._session.has_server_vad:
            start_ms = round(1000 * start)
            yield {"type": "input_audio_buffer.speech_started", "item_id": self._item.id, "audio_start_ms": start_ms}

    def _delta(self, word: events.Word) -> Iterator[ServerEvent]:
        assert self._item  # noqa: S101  (`_open_item` created it)
        delta = gap(self._item.words[-1].text, word.text) + word.text if self._item.words else word.text
        self._item.words.append(word)
        fields = {"item_id": self._item.id, "content_index": 0, "delta": delta}
        yield {"type": f"{TRANSCRIPTION}.delta", **fields, **self._extra([word])}

    def _extra(self, words: list[events.Word]) -> ServerEvent:
        return {"logprobs": logprobs(words)} if LOGPROBS in self._session.include else {}
