"""Conversion of stream events to Deepgram's: interim and final results, and the start and end of speech."""

from collections.abc import Iterator
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.deepgram.messages import CHANNEL, Request
from speech.dialects.deepgram.query import Query
from speech.text.word_spacing import join_words

SPEECH_THRESHOLD = 0.5
INTERIM_FLAGS = {"is_final": False, "speech_final": False, "from_finalize": False}
MAX_RESULT = 5.0
"""Seconds of final words after which a result is sent, even if the speaker continues."""


class Results:
    def __init__(self, request: Request, query: Query) -> None:
        self._request = request
        self._query = query
        self._words: list[events.Word] = []  # final, but not sent in a final result yet
        self._final = 0  # words sent in final results
        self._start = 0.0  # of the next final result; seconds, like all below
        self._processed = 0.0
        self._last_word_end = 0.0
        self._is_voiced = False
        self._last_interim = ""

    @property
    def duration(self) -> float:
        return self._processed

    def on_event(self, event: events.Event) -> Iterator[dict[str, Any]]:
        """Yield the messages for the event."""
        match event:
            case events.Ready(engine=engine):
                self._request.set_engine(engine)
            case events.Step(sample=sample, speech=speech):
                self._processed = sample / SAMPLE_RATE
                yield from self._on_voice(speech > SPEECH_THRESHOLD)
            case events.Partial(text=text):
                yield from self._interim(text)
            case events.Word() if event.index >= self._final:  # else another engine transcribed it again
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
            case events.Interrupted(words=saved):
                self._words = [word for word in self._words if word.index < saved]
            case events.Flushed():
                yield self._finish(self._processed, speech_final=True, from_finalize=True)
            case events.Done():
                if self._words:
                    yield self._finish(self._processed, speech_final=True)

    def _on_voice(self, is_voiced: bool) -> Iterator[dict[str, Any]]:
        if is_voiced and not self._is_voiced and self._query.vad_events:
            yield {"type": "SpeechStarted", "channel": CHANNEL, "timestamp": round(self._processed, 3)}
        self._is_voiced = is_voiced

    def _interim(self, partial: str) -> Iterator[dict[str, Any]]:
        text = join_words([*(word.text for word in self._words), partial])
        if self._query.interim_results and text and text != self._last_interim:
            self._last_interim = text
            yield self._request.results(self._words, self._start, self._processed, INTERIM_FLAGS, partial)

    def _finish(self, end: float, speech_final: bool = False, from_finalize: bool = False) -> dict[str, Any]:
        flags = {"is_final": True, "speech_final": speech_final, "from_finalize": from_finalize}
        message = self._request.results(self._words, self._start, end, flags)
        self._final += len(self._words)
        self._words, self._start, self._last_interim = [], end, ""
        return message
