"""From what a stream tells to Deepgram's results: interim ones that may change, final ones that stand, and where speech
begins and ends."""

from collections.abc import Iterator
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.deepgram.messages import CHANNEL, Request
from speech.dialects.deepgram.query import Query

SPEECH_THRESHOLD = 0.5
INTERIM_INTERVAL = {"is_final": False, "speech_final": False, "from_finalize": False}
MAX_RESULT = 5.0
"""Seconds of words that stand after which they are told as final, though the speaker goes on."""


class Results:
    def __init__(self, request: Request, query: Query) -> None:
        self._request = request
        self._query = query
        self._words: list[events.Word] = []  # that stand, and were not told as final
        self._final = 0  # how many were
        self._start = 0.0  # of what was not told as final; seconds, as all below
        self._processed = 0.0
        self._last_word_end = 0.0
        self._is_voiced = False
        self._last_interim = ""

    @property
    def duration(self) -> float:
        return self._processed

    def on_event(self, event: events.Event) -> Iterator[dict[str, Any]]:
        """The messages that follow from it."""
        match event:
            case events.Ready(engine=engine):
                self._request.set_engine(engine)
            case events.Step(sample=sample, speech=speech):
                self._processed = sample / SAMPLE_RATE
                yield from self._on_voice(speech > SPEECH_THRESHOLD)
            case events.Partial(text=text):
                yield from self._interim(text)
            case events.Word() if event.index >= self._final:  # not one that is heard again, by another engine
                self._words.append(event)
                self._last_word_end = event.end
                if event.end - self._start > MAX_RESULT:
                    yield self._finish(self._last_word_end)
                else:
                    yield from self._interim("")
            case events.Endpoint(end=end):
                yield self._finish(end, speech_final=True)
                if self._query.utterance_end:
                    yield {"type": "UtteranceEnd", "channel": CHANNEL, "last_word_end": round(self._last_word_end, 3)}
            case events.Interrupted(words=standing):
                self._words = [word for word in self._words if word.index < standing]
            case events.Flushed():
                yield self._finish(self._processed, speech_final=True, from_finalize=True)
            case events.Done():
                if self._words:
                    yield self._finish(self._processed, speech_final=True)

    def _on_voice(self, is_voiced: bool) -> Iterator[dict[str, Any]]:
        if is_voiced and not self._is_voiced and self._query.vad_events:
            yield {"type": "SpeechStarted", "channel": CHANNEL, "timestamp": round(self._processed, 3)}
        self._is_voiced = is_voiced

    def _interim(self, more: str) -> Iterator[dict[str, Any]]:
        told = " ".join([*(word.text for word in self._words), more]).strip()
        if self._query.interim_results and told and told != self._last_interim:
            self._last_interim = told
            yield self._request.results(self._words, self._start, self._processed, INTERIM_INTERVAL, more)

    def _finish(self, end: float, speech_final: bool = False, from_finalize: bool = False) -> dict[str, Any]:
        marks = {"is_final": True, "speech_final": speech_final, "from_finalize": from_finalize}
        told = self._request.results(self._words, self._start, end, marks)
        self._final += len(self._words)
        self._words, self._start, self._last_interim = [], end, ""
        return told
