"""The socket: JSON events both ways, audio as base64 in them."""

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
from speech.dialects.openai.errors import BadRequest, told
from speech.dialects.openai.realtime.items import Items
from speech.dialects.openai.realtime.session import Session, Update
from speech.dialects.sockets.stt_socket import StreamSocket
from speech.errors import ProtocolError, StreamError

BEGIN_WITHIN = 120.0
"""Seconds until the first audio."""


class Said(msgspec.Struct):
    type: str
    event_id: str | None = None
    session: Update | None = None
    audio: str = ""


_said = msgspec.json.Decoder(Said)


class Realtime(StreamSocket):
    needs = STT

    def prepare(self) -> None:
        headers = dict(self.scope["headers"])
        self._is_beta = b"realtime=v1" in headers.get(b"openai-beta", b"")
        self._session = Session(f"sess_{uuid4().hex[:20]}", self.query.get("model", ""), self.query.get("language", ""))
        self._items = Items(self._session)
        self._incoming = self._session.incoming()
        self._has_audio = False  # since the last commit
        self._marks: deque[str] = deque()  # what they are for: “commit” or “clear”
        self._begun = asyncio.Event()
        super().prepare()

    @property
    def wishes(self) -> dict[str, Any]:
        return {"engine": self._session.engine, "language": self._session.language}

    async def serve(self) -> None:
        """The stream begins with the first audio: before, the client says how it wants to be heard."""
        if self.query.get("intent", "transcription") != "transcription":
            raise ProtocolError("There is no conversation here.", "This socket transcribes: intent=transcription.")
        await self._tell_session("created")
        try:
            async with asyncio.timeout(BEGIN_WITHIN):
                await self._begun.wait()
        except TimeoutError:
            raise ProtocolError("No audio came.", f"An idle socket is closed after {BEGIN_WITHIN:.0f} s.") from None
        await super().serve()

    def fail(self, error: StreamError) -> None:
        super().fail(error)
        self._begun.set()

    # --- From the client --------------------------------------------------------------------------------------------

    async def take(self, data: bytes) -> None:
        raise ProtocolError("A binary message came.", "Audio comes in input_audio_buffer.append, as base64.")

    async def take_text(self, text: str) -> None:
        """What makes no sense is answered, and harms nothing."""
        event_id = None
        try:
            said = _said.decode(text)
            event_id = said.event_id
            await self._obey(said)
        except (msgspec.DecodeError, RecursionError) as error:
            await self._tell_mistake(BadRequest("", "An event could not be read.", f"{error}."), event_id)
        except BadRequest as error:
            await self._tell_mistake(error, event_id)

    async def _obey(self, said: Said) -> None:
        match said.type:
            case "session.update" | "transcription_session.update":
                await self._update(said.session or Update())
            case "input_audio_buffer.append":
                self._hear(said.audio)
            case "input_audio_buffer.commit":
                if not self._has_audio:
                    raise BadRequest("", "There is nothing to commit.", "No audio came since the last time.")
                self._mark("commit")
            case "input_audio_buffer.clear":
                self._mark("clear")
            case _:
                raise BadRequest("type", f"“{said.type}” is not understood.", "This socket transcribes.")

    async def _update(self, update: Update) -> None:
        before = self.wishes
        self._session.update(update)
        self._incoming = self._session.incoming()
        if self.wishes != before:
            if self._begun.is_set():
                raise BadRequest("session", "It is too late to change the model.", "Audio has come already.")
            super().prepare()
        await self._tell_session("updated")

    def _hear(self, audio: str) -> None:
        try:
            data = base64.b64decode(audio, validate=True)
        except (binascii.Error, ValueError):
            raise BadRequest("audio", "The audio could not be read.", "It is no base64.") from None
        self.stream.feed(self._incoming.take(data))
        self._heard_at = time.monotonic()
        self._has_audio = True
        self._begun.set()

    def _mark(self, purpose: str) -> None:
        self._has_audio = False
        self._marks.append(purpose)
        self.stream.mark(len(self._marks))

    # --- To the client ----------------------------------------------------------------------------------------------

    async def tell(self, event: events.Event) -> None:
        if isinstance(event, events.Marked):
            return await self._meet_mark()
        for message in self._items.follow(event):
            await self._send(message)
        return None

    async def _meet_mark(self) -> None:
        if self._marks.popleft() == "clear":
            self._items.drop()
            await self._send({"type": "input_audio_buffer.cleared"})
            return
        for message in self._items.finish():
            await self._send(message)

    async def _tell_session(self, what: str) -> None:
        kind = "transcription_session" if self._is_beta else "session"
        await self._send({"type": f"{kind}.{what}", "session": self._session.told})

    async def _tell_mistake(self, error: StreamError, event_id: str | None) -> None:
        await self._send({"type": "error", "error": {**told(error), "event_id": event_id}})

    async def tell_error(self, error: StreamError) -> None:
        with suppress(RuntimeError):  # the client may have left already
            await self._tell_mistake(error, None)

    async def _send(self, message: dict[str, Any]) -> None:
        event = {"event_id": f"event_{uuid4().hex[:20]}", **message}
        await self.send(text_data=msgspec.json.encode(event).decode())
