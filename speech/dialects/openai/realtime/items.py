"""Conversion of stream events to OpenAI's: a turn is an item, and each word of it a delta.

A turn is committed when the user stops speaking, or by the client. Words belong to the turn in which they begin,
however much later the engine emits them; when all of a turn have come, it is completed.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from typing import Any
from uuid import uuid4

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.openai import usage
from speech.dialects.openai.realtime.session import Session
from speech.dialects.openai.realtime.turn_detection import Change, TurnDetector
from speech.dialects.openai.transcript_formats import LANGUAGE_MODELS, languages, logprobs
from speech.text.word_spacing import gap, join_words

ServerEvent = dict[str, Any]
TRANSCRIPTION = "conversation.item.input_audio_transcription"
LOGPROBS = f"{TRANSCRIPTION.removeprefix('conversation.')}.logprobs"


@dataclass
class Item:
    start: float
    """Seconds, as all times here."""
    id: str = field(default_factory=lambda: f"item_{uuid4().hex[:20]}")
    end: float = inf
    """Words that begin later belong to the next item. Infinite: all words until the client's flush are of this one."""
    voice_end: float = inf
    """If all words that begin before it have come, the item is complete."""
    seconds: float = 0.0
    """Length of its audio, once it is committed."""
    words: list[events.Word] = field(default_factory=list)
    sent: int = 0
    """Words that were sent as deltas."""
    is_started: bool = False
    """`speech_started` was sent."""
    is_cleared: bool = False
    """The client has cleared it: its words are dropped."""

    @property
    def text(self) -> str:
        return join_words(word.text for word in self.words)


class Items:
    def __init__(self, session: Session, is_beta: bool) -> None:
        self.session = session
        self._is_beta = is_beta
        self._detector = TurnDetector()
        self._open: Item | None = None
        self._pending: deque[Item] = deque()
        """Committed or cleared, and not complete."""
        self._actions: deque[Item | None] = deque()
        """The item of each of the client's flushes. None: a commit of the turn that is then in progress."""
        self._previous: str | None = None
        self._words = 0
        self._processed = 0.0
        self._partial = self._language = ""
        self.committed_until = 0.0
        """End of the last turn that was detected, in seconds."""

    # --- From the stream ----------------------------------------------------------------------------------------------

    def on_event(self, event: events.Event, words_until: int) -> Iterator[ServerEvent]:
        """`words_until`: every word that begins before this sample was emitted."""
        match event:
            case events.Ready(language=language):
                self._language = language
            case events.Step(sample=sample, speech=speech) if sample / SAMPLE_RATE > self._processed:
                self._processed = sample / SAMPLE_RATE
                yield from self._on_voice(speech)
                yield from self._complete(words_until / SAMPLE_RATE)
            case events.Partial(text=text):
                self._partial = text
            case events.Word() if event.index >= self._words:  # else another engine transcribed it again
                self._words, self._partial = event.index + 1, ""
                yield from self._on_word(event)
            case events.Flushed():
                yield from self._on_flushed()
            case events.Done() if self._open:
                yield from self._end_turn(self._open)
            case events.Done():
                yield from self._complete(inf)

    def on_rest(self) -> Iterator[ServerEvent]:
        """No audio comes, not even silence: end the turn, whose words have all come."""
        if self.session.turn_detection and self._open:
            yield from self._end_turn(self._open)

    def _on_voice(self, speech: float) -> Iterator[ServerEvent]:
        settings, detector = self.session.turn_detection, self._detector
        if settings is None or any(item.end == inf for item in self._pending):
            return  # it is of a turn that the client committed or cleared
        text = join_words([*(word.text for word in self._open.words), self._partial]) if self._open else ""
        change = detector.on_step(self._processed, speech, settings, text, self._language)
        if change is Change.STARTED:
            yield from self._open_item(detector.voice_start)
        elif change is Change.STOPPED and self._open:
            item = self._open
            item.end, item.voice_end = self._processed, detector.voice_end
            item.seconds, self.committed_until = item.end - item.start, item.end
            yield from self._commit(item)

    def _on_word(self, word: events.Word) -> Iterator[ServerEvent]:
        item = next((item for item in self._pending if word.start < item.end), None)
        if item is None:
            if self._detector.on_word(word.start, word.end) or not self._open:
                yield from self._open_item(word.start)
            item = self._open
        if item and not item.is_cleared:
            item.words.append(word)
            if item is not self._open or self.session.has_live_deltas:
                yield from self._deltas(item)

    def _complete(self, words_until: float) -> Iterator[ServerEvent]:
        while self._pending and self._pending[0].voice_end <= words_until:
            yield from self._completed(self._pending.popleft())

    def _on_flushed(self) -> Iterator[ServerEvent]:
        """All audio before the client's commit or clear is processed."""
        last = self._actions.popleft()
        if last is None:
            yield from self._end_turn(self._open or Item(self.committed_until))
        while last in self._pending:
            yield from self._completed(self._pending.popleft())
        if self._actions and (following := self._actions[0]) and following.is_cleared:
            self._drop_open()
            self._pending.appendleft(following)

    def _end_turn(self, item: Item) -> Iterator[ServerEvent]:
        """Commit the turn here. All words have come."""
        self._detector.reset()
        item.seconds, self.committed_until = self._processed - item.start, self._processed
        yield from self._commit(item)
        while self._pending:
            yield from self._completed(self._pending.popleft())

    # --- From the client ----------------------------------------------------------------------------------------------

    def commit(self, seconds: float) -> Iterator[ServerEvent]:
        """End the turn, which has so many seconds of audio. The client's flush must follow. With turn detection it
        ends when the audio is processed, which may have ends of turns before."""
        if self.session.turn_detection or None in self._actions:
            self._actions.append(None)
            return
        self._detector.reset()
        item = self._open or Item(self._processed)
        item.seconds = seconds
        self._actions.append(item)
        yield from self._commit(item)

    def clear(self) -> None:
        """Drop the turn. The client's flush must follow."""
        item = Item(self._processed, is_cleared=True)
        self._actions.append(item)
        if len(self._actions) == 1:  # else what is open belongs to a commit before
            self._drop_open()
            self._pending.append(item)

    def _drop_open(self) -> None:
        self._detector.reset()
        self._open, self._partial = None, ""

    # --- Events -------------------------------------------------------------------------------------------------------

    def _open_item(self, start: float) -> Iterator[ServerEvent]:
        if self._open:
            return
        settings = self.session.turn_detection
        start = max(start - settings.padding, self.committed_until, 0.0) if settings else start
        self._open = Item(start, is_started=settings is not None)
        if settings:
            start_ms = round(1000 * start)
            yield {"type": "input_audio_buffer.speech_started", "item_id": self._open.id, "audio_start_ms": start_ms}

    def _commit(self, item: Item) -> Iterator[ServerEvent]:
        self._open, self._partial = None, ""
        self._pending.append(item)
        if item.is_started:
            end_ms = round(1000 * min(item.end, self._processed))
            yield {"type": "input_audio_buffer.speech_stopped", "item_id": item.id, "audio_end_ms": end_ms}
        yield {"type": "input_audio_buffer.committed", "item_id": item.id, "previous_item_id": self._previous}
        message: ServerEvent = {"id": item.id, "type": "message", "role": "user", "status": "completed"}
        message["content"] = [{"type": "input_audio", "transcript": None}]
        for change in ("created",) if self._is_beta else ("added", "done"):
            yield {"type": f"conversation.item.{change}", "item": message, "previous_item_id": self._previous}
        self._previous = item.id
        yield from self._deltas(item)

    def _deltas(self, item: Item) -> Iterator[ServerEvent]:
        while item.sent < len(item.words):
            before = item.words[item.sent - 1].text if item.sent else ""
            word = item.words[item.sent]
            item.sent += 1
            fields = {"item_id": item.id, "content_index": 0, "delta": gap(before, word.text) + word.text}
            yield {"type": f"{TRANSCRIPTION}.delta", **fields, **self._logprobs([word], before)}

    def _completed(self, item: Item) -> Iterator[ServerEvent]:
        if item.is_cleared:
            return
        model = self.session.model
        yield {
            "type": f"{TRANSCRIPTION}.completed",
            "item_id": item.id,
            "content_index": 0,
            "transcript": item.text,
            "usage": usage.of_transcription(model, item.seconds, len(item.words)),
            **({"languages": languages(self._language)} if model in LANGUAGE_MODELS else {}),
            **self._logprobs(item.words),
        }

    def _logprobs(self, words: list[events.Word], before: str = "") -> ServerEvent:
        return {"logprobs": logprobs(words, before)} if LOGPROBS in self.session.include else {}
