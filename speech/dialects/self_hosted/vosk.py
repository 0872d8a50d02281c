"""vosk-server's protocol, at `/vosk`: every message of audio gets one answer, a partial or a final result.

Most clients wait for the answer before they send more, so each is sent when its audio is processed.
"""

from collections import deque
from collections.abc import Sequence
from statistics import fmean
from typing import Annotated, Any

import msgspec

from accounts.scopes import STT
from inference.messages import FRAME_SAMPLES
from speech import events
from speech.dialects.audio import MAX_RATE, MIN_RATE, AudioDecoder
from speech.dialects.self_hosted.live_segments import LiveSegments
from speech.dialects.self_hosted.words import probability
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import ProtocolError, StreamError
from speech.text.json_input import InvalidInput, decode_json
from speech.text.word_spacing import join_words

DEFAULT_RATE = 8_000
"""Hz: vosk-server's, for clients that state none."""


class Config(msgspec.Struct):
    """Other fields, such as `phrase_list`, are ignored, as vosk-server ignores what a model lacks."""

    sample_rate: Annotated[float, msgspec.Meta(ge=MIN_RATE, le=MAX_RATE)] | None = None
    words: bool | None = None
    max_alternatives: int | None = None


class Message(msgspec.Struct):
    config: Config | None = None
    eof: bool = False
    reset: bool = False


_decoder = msgspec.json.Decoder(Message, strict=False)


class VoskSocket(SttSocket):
    scope_required = STT

    def parse_query(self) -> None:
        """`sample_rate` is for clients that can't send a configuration."""
        self._decoder: AudioDecoder | None = None
        rate = self.query.get("sample_rate", str(DEFAULT_RATE))
        if not rate.isdecimal() or len(rate) > 6:
            raise ProtocolError(f"Invalid sample rate “{rate[:20]}”.", "Use a number in Hz, for example 16000.")
        self._decoder = AudioDecoder("s16le", int(rate))

    def prepare(self) -> None:
        super().prepare()
        self._segments = LiveSegments()
        self._unanswered: deque[int] = deque()  # the sample after each message of audio
        self._processed = 0
        self._resets: deque[int] = deque()  # the sample at which each was requested
        self._has_audio = self._is_ended = False
        self._with_words, self._alternatives = True, 0

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        if self._decoder is None or self._is_ended:
            return
        self._has_audio = True
        self.stream.feed(await self._decoder.decode_message(data))
        self._unanswered.append(self.stream.end)
        await self._answer()

    async def receive_text(self, text: str) -> None:
        try:
            message = decode_json(_decoder, text)
        except InvalidInput as error:
            raise ProtocolError("Invalid message.", str(error)) from None
        if self._decoder is None or self._is_ended:
            return
        if message.config:
            self._configure(message.config)
        elif message.eof:
            self._is_ended = True
            self.stream.feed(self._decoder.flush())
            self.stop()
        elif message.reset:
            self._resets.append(self.stream.end)
            self.stream.flush(len(self._resets))
        else:
            raise ProtocolError("Invalid message.", "Supported: config, eof, reset.")

    def _configure(self, config: Config) -> None:
        """As with vosk-server, it has no effect after the first audio."""
        if self._has_audio:
            return
        if config.sample_rate is not None:
            self._decoder = AudioDecoder("s16le", round(config.sample_rate))
        if config.words is not None:
            self._with_words = config.words
        if config.max_alternatives is not None:
            self._alternatives = config.max_alternatives

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        self._segments.on_event(event)
        match event:
            case events.Step(sample=sample):
                self._processed = sample
                await self._answer()
            case events.Flushed():
                await self._send_rest(self._resets.popleft())
            case events.Done():
                await self._send_rest(self.stream.end)

    async def _send_rest(self, end: int) -> None:
        """Send one result of all that remains before this sample: clients read no more at the end."""
        self._processed = max(self._processed, end)
        await self._answer(keep_results=True)
        await self._send(self._take_results(len(self._segments.finished)))

    async def _answer(self, keep_results: bool = False) -> None:
        """Answer the messages whose audio is processed, but for less than a frame: an engine waits for a whole one."""
        while self._unanswered and self._unanswered[0] < self._processed + FRAME_SAMPLES:
            self._unanswered.popleft()
            if self._segments.finished and not keep_results:
                await self._send(self._take_results(1))
            else:
                await self._send({"partial": self._segments.open_text})

    def _take_results(self, count: int) -> dict[str, Any]:
        """One result of the first segments."""
        taken, self._segments.finished = self._segments.finished[:count], self._segments.finished[count:]
        words = [word for segment in taken for word in segment.words]
        text = join_words(word.text for word in words)
        if self._alternatives > 0:
            alternative = {"confidence": _confidence(words), **self._words(words), "text": text}
            return {"alternatives": [alternative]}
        return {**self._words(words), "text": text}

    def _words(self, words: Sequence[events.Word]) -> dict[str, Any]:
        if not (self._with_words and words):
            return {}
        return {"result": [self._word(word) for word in words]}

    def _word(self, word: events.Word) -> dict[str, Any]:
        confidence = {} if self._alternatives > 0 else {"conf": _confidence([word])}
        return {**confidence, "end": round(word.end, 3), "start": round(word.start, 3), "word": word.text.rstrip()}

    async def send_error(self, error: StreamError) -> None:
        """vosk-server only closes the connection. The empty `text` is for clients that take it for a result."""
        await self._send({"error": f"{error.what} {error.why}", "text": ""})

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())


def _confidence(words: Sequence[events.Word]) -> float:
    """Mean confidence, 0 without words."""
    return round(fmean(map(probability, words)), 4) if words else 0.0
