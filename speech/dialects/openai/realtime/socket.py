"""The WebSocket: JSON events in both directions, with audio as base64."""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from uuid import uuid4

import msgspec

from accounts.scopes import STT
from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.openai.errors import BadRequest, ModelNotFound, error_body, error_response
from speech.dialects.openai.model_aliases import engine_named
from speech.dialects.openai.realtime.items import Items, ServerEvent
from speech.dialects.openai.realtime.session import Session, Update
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import NoEngine, ProtocolError, StreamError
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json

SETUP_TIMEOUT = 120.0
"""Seconds without any audio after which the connection is closed."""
CONFIGURATION_TIMEOUT = 1.0
"""Seconds after the first audio in which the client can choose another model or language."""
MIN_COMMIT = 0.1
"""Seconds of audio that a client can commit."""


class BufferTooSmall(BadRequest):
    error_code = "input_audio_buffer_commit_empty"

    def __init__(self, seconds: float) -> None:
        why = f"Expected at least 100ms of audio, but buffer only has {1000 * seconds:.2f}ms of audio."
        action = "Send more audio with input_audio_buffer.append first."
        super().__init__("", "Error committing input audio buffer: buffer too small.", why, action)


class EventId(msgspec.Struct):
    event_id: str | None = None


class ClientEvent(EventId, kw_only=True):
    type: str
    session: Update | None = None
    audio: str = ""


_decoder = msgspec.json.Decoder(ClientEvent)
_id_decoder = msgspec.json.Decoder(EventId)


class RealtimeSocket(SttSocket):
    scope_required = STT
    error_response = staticmethod(error_response)

    async def check_query(self) -> None:
        """The model needn't be one of this site: the client may name another one in `session.update`."""
        try:
            self._engine = await self._engine_of(self.query.get("model", ""))
        except ModelNotFound:
            self._engine = self.query["model"]  # the stream says so

    async def _engine_of(self, model: str) -> str:
        """Raises `ModelNotFound`."""
        try:
            return await engine_named(model, "stt", "session.audio.input.transcription.model")
        except NoEngine:
            return ""  # the stream says so

    def prepare(self) -> None:
        headers = dict(self.scope["headers"])
        self._is_beta = b"realtime=v1" in headers.get(b"openai-beta", b"")
        self._session = Session(
            f"sess_{uuid4().hex[:20]}", self.query.get("model", ""), self._engine, self.query.get("language", "")
        )
        self._items = Items(self._session, self._is_beta)
        self._decoder = self._session.decoder()
        self._buffer_start = 0
        """Sample after the audio that the client committed or cleared last."""
        self._has_audio = asyncio.Event()
        self._is_configured = asyncio.Event()
        self._is_started = False
        self._early_audio = bytearray()
        """Audio that a stream with other options would get again."""
        self._sending = asyncio.Lock()
        super().prepare()

    def stream_options(self) -> StreamOptions:
        engine, language = self._session.engine, self._session.language
        return StreamOptions(engine=engine, language=language, keep=self.is_saved, awaits_turns=True)

    async def serve(self) -> None:
        """Start the stream with the first audio: before, the client may still change the session. Some clients send it
        a moment before their options."""
        if self.query.get("intent", "transcription") != "transcription":
            raise ProtocolError("Conversations aren't supported.", "Use intent=transcription.")
        await self._send_session("created")
        try:
            async with asyncio.timeout(SETUP_TIMEOUT):
                await self._has_audio.wait()
        except TimeoutError:
            why = f"Idle connections are closed after {SETUP_TIMEOUT:.0f} s."
            raise ProtocolError("No audio received.", why) from None
        with suppress(TimeoutError):
            async with asyncio.timeout(CONFIGURATION_TIMEOUT):
                await self._is_configured.wait()
        self._is_started = True
        self._early_audio.clear()
        await super().serve()

    def fail(self, error: StreamError) -> None:
        super().fail(error)
        self._has_audio.set()
        self._is_configured.set()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        raise ProtocolError("Unexpected binary message.", "Send audio as base64 in input_audio_buffer.append.")

    async def receive_text(self, text: str) -> None:
        """Process an event. An invalid one is answered with an error and otherwise ignored."""
        event_id = None
        try:
            event = decode_json(_decoder, text)
            event_id = event.event_id
            await self._on_client_event(event)
        except InvalidInput as error:
            field = re.search(r"\$\.([\w.]+)", str(error))
            invalid = BadRequest(field[1] if field else "", "Invalid event.", str(error))
            await self._send_client_error(invalid, _id_of(text))
        except BadRequest as error:
            await self._send_client_error(error, event_id)

    async def _on_client_event(self, event: ClientEvent) -> None:
        match event.type:
            case "session.update" | "transcription_session.update":
                await self._update(event.session or Update())
            case "input_audio_buffer.append":
                self._receive_audio(event.audio)
            case "input_audio_buffer.commit":
                await self._commit()
            case "input_audio_buffer.clear":
                await self._clear()
            case _:
                raise BadRequest("type", f"Unknown event “{event.type}”.", "This connection only transcribes.")

    async def _update(self, update: Update) -> None:
        before, session = self._session, self._session.updated(update)
        if session.model != before.model:
            session = replace(session, engine=await self._engine_of(session.model))
        changes_stream = (session.engine, session.language) != (before.engine, before.language)
        if changes_stream and self._is_started:
            why = "Audio has already been received."
            raise BadRequest("session.audio.input.transcription", "The model can't be changed now.", why)
        self._session = self._items.session = session
        if session.format != before.format:
            self._end_decoder()
        if changes_stream:
            self.create_stream()
            self.stream.feed(bytes(self._early_audio))
        self._is_configured.set()
        await self._send_session("updated")

    def _receive_audio(self, audio: str) -> None:
        try:
            data = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("audio", "Couldn't decode the audio.", "Invalid base64.") from None
        self._feed(self._decoder.decode(data))
        self._last_received_at = time.monotonic()
        self._has_audio.set()

    def _feed(self, pcm: bytes) -> None:
        self.stream.feed(pcm)
        if not self._is_started:
            self._early_audio += pcm

    def _end_decoder(self) -> None:
        """Feed what the decoder holds, and begin another encoding, or audio that doesn't continue it."""
        if rest := self._decoder.flush():
            self._feed(rest)
        self._decoder = self._session.decoder()

    async def _commit(self) -> None:
        start = max(self._buffer_start / SAMPLE_RATE, self._items.committed_until)
        buffered = max(0.0, self.stream.end / SAMPLE_RATE - start)
        if buffered < MIN_COMMIT:
            raise BufferTooSmall(buffered)
        messages = list(self._items.commit(buffered))
        self._flush()
        await self._send_all(messages)

    async def _clear(self) -> None:
        if self.stream.end > self._buffer_start:  # else there is nothing that a flush would finish
            self._end_decoder()
            self._items.clear()
            self._flush()
        await self._send({"type": "input_audio_buffer.cleared"})

    def _flush(self) -> None:
        self._is_started = True  # another stream would lack the flush
        self._is_configured.set()
        self._buffer_start = self.stream.end
        self.stream.flush(0)

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        messages = list(self._items.on_event(event, self.stream.words_until))
        if isinstance(event, events.Endpoint) and self.stream.is_resting:
            messages += self._items.on_rest()
        await self._send_all(messages)

    async def _send_all(self, messages: Iterable[ServerEvent]) -> None:
        """Send them before any that follow from later events."""
        at_once = list(messages)
        async with self._sending:
            for message in at_once:
                await self._send(message)

    async def _send_session(self, what: str) -> None:
        if self._is_beta:
            await self._send({"type": f"transcription_session.{what}", "session": self._session.to_beta_dict})
        else:
            await self._send({"type": f"session.{what}", "session": self._session.to_dict})

    async def _send_client_error(self, error: StreamError, event_id: str | None) -> None:
        await self._send({"type": "error", "error": {**error_body(error), "event_id": event_id}})

    async def send_error(self, error: StreamError) -> None:
        with suppress(RuntimeError):  # the client may have left already
            await self._send_client_error(error, None)

    async def _send(self, message: ServerEvent) -> None:
        event = {"event_id": f"event_{uuid4().hex[:20]}", **message}
        await self.send(text_data=msgspec.json.encode(event).decode())


def _id_of(invalid_event: str) -> str | None:
    try:
        return decode_json(_id_decoder, invalid_event).event_id
    except InvalidInput:
        return None
