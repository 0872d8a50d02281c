"""WhisperLive's protocol, at `/whisper-live`: options as JSON, then audio at 16 kHz; the segments come as a list.

A new list is sent when words or their text change, with the last finished segments and the one that still grows.
"""

import asyncio
from typing import Any, Literal

import msgspec

from accounts.scopes import STT
from inference.messages import UNKNOWN_LANGUAGE
from speech import events
from speech.batch.transcription import Segment
from speech.dialects.audio import AudioDecoder
from speech.dialects.self_hosted.live_segments import LiveSegments
from speech.dialects.self_hosted.words import probability, spaced_texts
from speech.dialects.sockets.stt_socket import IDLE_TIMEOUT, SttSocket
from speech.errors import AtCapacity, ProtocolError, StreamError, Unavailable
from speech.gateway.link import Link
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json

RATE = 16_000  # Hz
FORMATS = {"float32": "f32le", "int16": "s16le", "uint8": "u8"}
"""WhisperLive's names of formats and ours."""
END = "END_OF_AUDIO"
BACKEND = "faster_whisper"
"""WhisperLive's clients keep finished segments only of this one."""
WAIT_MINUTES = 1.0
"""What a client at capacity shows as the estimated time until a slot is free."""


class Options(msgspec.Struct):
    """The first message. Others of its fields, such as `use_vad` and `hotwords`, are ignored: they tune Whisper."""

    uid: str = ""
    language: str | None = None
    task: str | None = None
    model: str | None = None
    audio_format: Literal["float32", "int16", "uint8"] = "float32"
    send_last_n_segments: int | None = None
    word_timestamps: bool | None = None
    enable_translation: bool | None = None
    enable_diarization: bool | None = None
    known_speakers: list[Any] | None = None


_decoder = msgspec.json.Decoder(Options, strict=False)


class WhisperLiveSocket(SttSocket):
    scope_required = STT

    def prepare(self) -> None:
        self._options, self._engine = Options(), ""
        self._is_configured = asyncio.Event()
        self._decoder = AudioDecoder("f32le", RATE)
        self._segments = LiveSegments()
        self._has_changed = self._is_ended = self._has_sent_language = False
        super().prepare()

    def stream_options(self) -> StreamOptions:
        engine = self.query.get("engine", "") or self._engine
        translates = self._options.task == "translate"
        language = self.query.get("language") or self._options.language or ("auto" if translates else "")
        return StreamOptions(engine=engine, language=language, translates=translates, keep=self.is_saved)

    async def serve(self) -> None:
        """Start the stream once its options have come."""
        try:
            async with asyncio.timeout(IDLE_TIMEOUT):
                await self._is_configured.wait()
        except TimeoutError:
            raise ProtocolError("No options received.", "The first message must have them, as JSON.") from None
        await super().serve()

    def fail(self, error: StreamError) -> None:
        super().fail(error)
        self._is_configured.set()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_text(self, text: str) -> None:
        if not self._is_configured.is_set():
            await self._configure(text)
        elif text == END:
            self._end()
        else:
            raise ProtocolError("Unexpected text message.", f"Send audio as binary messages, or {END}.")

    async def receive_audio(self, data: bytes) -> None:
        if not self._is_configured.is_set():
            await self._configure(data)
        elif data == END.encode():
            self._end()
        elif not self._is_ended:
            self.stream.feed(await self._decoder.decode_message(data))

    async def _configure(self, message: str | bytes) -> None:
        try:
            self._options = options = decode_json(_decoder, message)
        except InvalidInput as error:
            raise ProtocolError("Invalid options.", str(error)) from None
        if options.enable_translation:
            raise ProtocolError(
                "“enable_translation” isn't supported.", "With “task”, some engines translate into English."
            )
        self._decoder = AudioDecoder(FORMATS[options.audio_format], RATE)
        engines = await Link.current().workers.engines("stt")
        self._engine = options.model if options.model in engines else ""  # else one of Whisper's sizes, or a path
        self.create_stream()
        self._is_configured.set()
        if options.enable_diarization or options.known_speakers:
            await self._send(status="WARNING", message="This server doesn't tell speakers apart.")

    def _end(self) -> None:
        if not self._is_ended:
            self._is_ended = True
            self.stream.feed(self._decoder.flush())
            self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        if isinstance(event, events.Endpoint | events.Done) and self._segments.open:
            await self._send_whole_segment()
        self._has_changed |= self._segments.on_event(event)
        match event:
            case events.Ready(language=language):
                if not self.is_ready:
                    await self._send(message="SERVER_READY", backend=BACKEND)
                await self._send_language(language, 1.0)
            case events.Endpoint(language=language):
                await self._send_language(language, None)
            case events.Step() | events.Done() if self._has_changed:
                await self._send_segments()

    async def _send_language(self, language: str, probability: float | None) -> None:
        """Send the language that the engine has or detected, once, if the client named none."""
        if language in ("", UNKNOWN_LANGUAGE) or self._options.language or self._has_sent_language:
            return
        self._has_sent_language = True
        await self._send(language=language, language_prob=probability)

    async def _send_whole_segment(self) -> None:
        """Send the whole segment as unfinished before it is finished: the client writes the last unfinished segment
        that it got to its subtitles, unless its text is that of the last finished one."""
        self._segments.partial = None
        await self._send_segments()

    async def _send_segments(self) -> None:
        self._has_changed = False
        count = self._options.send_last_n_segments
        count = 10 if count is None else max(1, count)
        finished = self._segments.finished
        first = max(0, len(finished) - count)
        segments = [self._finished(number) for number in range(first, len(finished))]
        if text := self._segments.open_text:
            start, end = self._segments.open_times
            segments.append(self._segment(len(finished), start, end, text, completed=False))
        if segments:
            await self._send(segments=segments)

    def _finished(self, number: int) -> dict[str, Any]:
        segment = self._segments.finished[number]
        words = {"words": _words(segment)} if self._options.word_timestamps else {}
        return {**self._segment(number, segment.start, segment.end, segment.text, completed=True), **words}

    def _segment(self, number: int, start: float, end: float, text: str, completed: bool) -> dict[str, Any]:
        """The client ignores a segment that begins before the end of the one before it."""
        earliest = self._segments.finished[number - 1].end if number else 0.0
        start = max(start, earliest)
        return {"start": f"{start:.3f}", "end": f"{max(start, end):.3f}", "text": text, "completed": completed}

    async def send_error(self, error: StreamError) -> None:
        if isinstance(error, AtCapacity):
            await self._send(status="WAIT", message=WAIT_MINUTES)
        else:  # after an error, clients do not connect again
            status = "WARNING" if isinstance(error, Unavailable) else "ERROR"
            await self._send(status=status, message=f"{error.what} {error.why}")

    async def _send(self, **message: Any) -> None:
        await self.send(text_data=msgspec.json.encode({"uid": self._options.uid, **message}).decode())


def _words(segment: Segment) -> list[dict[str, Any]]:
    return [
        {"word": text, "start": f"{word.start:.3f}", "end": f"{word.end:.3f}", "probability": probability(word)}
        for word, text in zip(segment.words, spaced_texts(segment.words), strict=True)
    ]
