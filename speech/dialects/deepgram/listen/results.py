"""Conversion of stream events to Deepgram's: interim and final results, and the start and end of speech."""

from collections.abc import Iterator
from typing import Any

from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.deepgram.listen.formatting import alternative
from speech.dialects.deepgram.listen.query import Query
from speech.dialects.deepgram.messages import Request

CHANNEL = [0, 1]
"""Index and number of channels: they are mixed into one."""
SPEECH_THRESHOLD = 0.5
INTERIM_FLAGS = {"is_final": False, "speech_final": False, "from_finalize": False}
MAX_RESULT = 5.0
"""Seconds of final words after which a result is sent, even if the speaker continues."""


class Results:
    """All times are in seconds."""

    def __init__(self, request: Request, query: Query) -> None:
        self._request = request
        self._query = query
        self._words: list[events.Word] = []  # final, but not sent in a final result yet
        self._final = 0  # words sent in final results
        self._start = 0.0  # of the next final result
        self._processed = 0.0
        self._last_word_end = 0.0
        self._voiced_until = self._utterance_end = 0.0  # the latter: of the last word in the last utterance
        self._is_voiced = False
        self._in_utterance = False  # there was speech since the last result with `speech_final`
        self._has_ended = True  # an `UtteranceEnd` was sent for all words
        self._has_partial = False
        self._last_interim = ""

    @property
    def duration(self) -> float:
        return self._processed

    def on_event(self, event: events.Event, words_until: float) -> Iterator[dict[str, Any]]:
        """Yield the messages for the event. `words_until`: every word that begins before it was emitted."""
        match event:
            case events.Ready(engine=engine):
                self._request.set_engine(engine)
            case events.Step(sample=sample, speech=speech):
                self._processed = sample / SAMPLE_RATE
                yield from self._on_voice(speech > SPEECH_THRESHOLD)
                yield from self._on_silence()
                yield from self._end_of_words(words_until)
            case events.Partial(text=text):
                self._has_partial = bool(text)
                yield from self._interim(text)
            case events.Word() if event.index >= self._final:  # else another engine transcribed it again
                yield from self._on_word(event)
            case events.Endpoint(end=end):
                yield self._finish(end, speech_final=self._ends_utterance)
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
        if is_voiced:
            self._in_utterance, self._voiced_until = True, self._processed

    def _on_silence(self) -> Iterator[dict[str, Any]]:
        """End the utterance after the silence that the client asked for, once the engine has ended its segment. To cut
        that sooner would cost accuracy: with 0.3 s of silence, models get one word in nine wrong."""
        is_pending = self._words or self._has_partial or self._last_word_end <= self._utterance_end
        if self._query.endpointing is not None and self._in_utterance and self._ends_utterance and not is_pending:
            yield self._finish(self._processed, speech_final=True)

    @property
    def _ends_utterance(self) -> bool:
        """Whether it is silent for as long as the client asked for."""
        endpointing = self._query.endpointing
        return endpointing is None or self._processed - self._voiced_until >= endpointing

    def _on_word(self, word: events.Word) -> Iterator[dict[str, Any]]:
        yield from self._end_of_words(word.start)
        self._words.append(word)
        self._last_word_end, self._in_utterance, self._has_ended = word.end, True, False
        if word.end - self._start > MAX_RESULT:
            yield self._finish(word.end)
        else:
            yield from self._interim("")

    def _end_of_words(self, until: float) -> Iterator[dict[str, Any]]:
        """Report the gap after the last word, if no other one begins before `until`."""
        wanted = self._query.utterance_end
        if wanted is None or self._has_ended or self._has_partial or until - self._last_word_end < wanted:
            return
        if self._words:
            yield self._finish(self._last_word_end)
        self._has_ended = True
        yield {"type": "UtteranceEnd", "channel": CHANNEL, "last_word_end": round(self._last_word_end, 3)}

    def _interim(self, partial: str) -> Iterator[dict[str, Any]]:
        if not self._query.interim_results:
            return
        message = self._result(self._processed, INTERIM_FLAGS, partial)
        text = message["channel"]["alternatives"][0]["transcript"]
        if text and text != self._last_interim:
            self._last_interim = text
            yield message

    def _finish(self, end: float, speech_final: bool = False, from_finalize: bool = False) -> dict[str, Any]:
        flags = {"is_final": True, "speech_final": speech_final, "from_finalize": from_finalize}
        message = self._result(end, flags)
        self._final += len(self._words)
        self._words, self._start, self._last_interim = [], end, ""
        if speech_final:
            self._in_utterance, self._utterance_end = False, self._last_word_end
        return message

    def _result(self, end: float, flags: dict[str, bool], partial: str = "") -> dict[str, Any]:
        """Result for the audio up to `end`."""
        request = self._request
        return {
            "type": "Results",
            "channel_index": CHANNEL,
            "start": round(self._start, 3),
            "duration": round(max(0.0, end - self._start), 3),
            **flags,
            "channel": {"alternatives": [alternative(self._words, self._query.formatting, partial)]},
            "metadata": {"request_id": request.id, "model_info": request.info, "model_uuid": request.model},
        }
