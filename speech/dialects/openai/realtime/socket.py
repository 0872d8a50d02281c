"""The WebSocket: JSON events in both directions, with audio as base64."""

import asyncio
import base64
import binascii
import time
from collections import deque
from contextlib import suppress
from typing import Any
from uuid import uuid4

import msgspec

from accounts.scopes import STT
from speech import events
from speech.dialects.openai.errors import BadRequest, error_body
from speech.dialects.openai.realtime.items import Items
from speech.dialects.openai.realtime.session import Session, Update
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import ProtocolError, StreamError
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json

SETUP_TIMEOUT = 120.0
"""Seconds without any audio after which the connection is closed."""


class ClientEvent(msgspec.Struct):
    type: str
    event_id: str | None = None
    session: Update | None = None
    audio: str = ""


_decoder = msgspec.json.Decoder(ClientEvent)


class RealtimeSocket(SttSocket):
    scope_required = STT

    def prepare(self) -> None:
        headers = dict(self.scope["headers"])
        self._is_beta = b"realtime=v1" in headers.get(b"openai-beta", b"")
        self._session = Session(f"sess_{uuid4().hex[:20]}", self.query.get("model", ""), self.query.get("language", ""))
        self._items = Items(self._session)
        self._decoder = self._session.decoder()
        self._has_audio = False  # since the last commit
        self._flushes: deque[str] = deque()  # purpose of each: “commit” or “clear”
        self._set_up = asyncio.Event()
        super().prepare()

    def stream_options(self) -> StreamOptions:
        return StreamOptions(engine=self._session.engine, language=self._session.language, keep=self.is_saved)

    async def serve(self) -> None:
        """Start the stream with the first audio: before, the client may still change the session."""
        if self.query.get("intent", "transcription") != "transcription":
            raise ProtocolError("Conversations aren't supported.", "Use intent=transcription.")
        await self._send_session("created")
        try:
            async with asyncio.timeout(SETUP_TIMEOUT):
                await self._set_up.wait()
        except TimeoutError:
            why = f"Idle connections are closed after {SETUP_TIMEOUT:.0f} s."
            raise ProtocolError("No audio received.", why) from None
        await super().serve()

    def fail(self, error: StreamError) -> None:
        super().fail(error)
        self._set_up.set()

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
            await self._send_client_error(BadRequest("", "Invalid event.", str(error)), event_id)
        except BadRequest as error:
            await self._send_client_error(error, event_id)

    async def _on_client_event(self, event: ClientEvent) -> None:
        match event.type:
            case "session.update" | "transcription_session.update":
                await self._update(event.session or Update())
            case "input_audio_buffer.append":
                self._receive_audio(event.audio)
            case "input_audio_buffer.commit":
                if not self._has_audio:
                    raise BadRequest("", "Nothing to commit.", "No audio received since the last commit.")
                self._flush("commit")
            case "input_audio_buffer.clear":
                self._flush("clear")
            case _:
                raise BadRequest("type", f"Unknown event “{event.type}”.", "This connection only transcribes.")

    async def _update(self, update: Update) -> None:
        before = self.stream_options()
        self._session.update(update)
        self._decoder = self._session.decoder()
        if self.stream_options() != before:
            if self._set_up.is_set():
                raise BadRequest("session", "The model can't be changed now.", "Audio has already been received.")
            self.create_stream()
        await self._send_session("updated")

    def _receive_audio(self, audio: str) -> None:
        try:
            data = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("audio", "Couldn't decode the audio.", "Invalid base64.") from None
        self.stream.feed(self._decoder.decode(data))
        self._last_received_at = time.monotonic()
        self._has_audio = True
        self._set_up.set()

    def _flush(self, purpose: str) -> None:
        self._has_audio = False
        self._flushes.append(purpose)
        self.stream.flush(len(self._flushes))

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        if isinstance(event, events.Flushed):
            return await self._on_flushed()
        for message in self._items.on_event(event):
            await self._send(message)
        return None

    async def _on_flushed(self) -> None:
        if self._flushes.popleft() == "clear":
            self._items.discard()
            await self._send({"type": "input_audio_buffer.cleared"})
            return
        for message in self._items.finish():
            await self._send(message)

    async def _send_session(self, what: str) -> None:
        kind = "transcription_session" if self._is_beta else "session"
        await self._send({"type": f"{kind}.{what}", "session": self._session.to_dict})

    async def _send_client_error(self, error: StreamError, event_id: str | None) -> None:
        await self._send({"type": "error", "error": {**error_body(error), "event_id": event_id}})

    async def send_error(self, error: StreamError) -> None:
        with suppress(RuntimeError):  # the client may have left already
            await self._send_client_error(error, None)

    async def _send(self, message: dict[str, Any]) -> None:
        event = {"event_id": f"event_{uuid4().hex[:20]}", **message}
        await self.send(text_data=msgspec.json.encode(event).decode())
