"""`/v1/listen` as a WebSocket: audio in, results out while it is being said."""

import asyncio
import hashlib
import time
from typing import Any, Literal

import msgspec

from accounts.scopes import STT
from speech import events
from speech.dialects.audio import Incoming
from speech.dialects.deepgram.messages import Request
from speech.dialects.deepgram.query import Query
from speech.dialects.deepgram.results import Results
from speech.dialects.sockets.stt_socket import StreamSocket
from speech.errors import ProtocolError, StreamError

OGG, WAV = b"OggS", b"RIFF"
"""How a file that is sent as it lies begins."""
WAV_HEADER = 44  # bytes
LARGE = 64 * 1024
"""Bytes from which on a message is decoded beside the event loop."""


class Control(msgspec.Struct):
    type: Literal["KeepAlive", "Finalize", "CloseStream", "Configure"]


_controls = msgspec.json.Decoder(Control)


class Listen(StreamSocket):
    needs = STT

    def prepare(self) -> None:
        self._asked = Query()
        self._incoming: Incoming | None = None
        self._refusal: ProtocolError | None = None
        try:
            self._asked = Query.of(self.query)
            self._incoming = self._asked.incoming()
        except ProtocolError as error:
            self._refusal = error  # told once the socket is open: before, nobody could hear it
        super().prepare()
        self._request = Request()
        self._results = Results(self._request, self._asked)
        self._sha256 = hashlib.sha256()
        self._is_first = True
        self._finalizes = 0

    @property
    def wishes(self) -> dict[str, Any]:
        return {"engine": self._asked.engine, "language": self._asked.language}

    async def serve(self) -> None:
        if self._refusal:
            raise self._refusal
        await super().serve()

    # --- From the client --------------------------------------------------------------------------------------------

    async def take(self, data: bytes) -> None:
        if self._incoming is None:
            return None
        if not data:
            return self._close_stream()  # as older clients say it
        self._sha256.update(data)
        if self._is_first and not self._asked.encoding:
            data = self._open_file(data)
        self._is_first = False
        if len(data) > LARGE:
            return self.stream.feed(await asyncio.to_thread(self._incoming.take, data))
        return self.stream.feed(self._incoming.take(data))

    def _open_file(self, data: bytes) -> bytes:
        """One that is sent as it lies says itself what it is. Returns what is left of its beginning."""
        if data.startswith(OGG):
            self._incoming = Incoming("opus", self._asked.rate)
        elif data.startswith(WAV):
            channels, rate = int.from_bytes(data[22:24], "little"), int.from_bytes(data[24:28], "little")
            self._incoming = Incoming("s16le", rate, channels)
            return data[WAV_HEADER:]
        return data

    async def take_text(self, text: str) -> None:
        try:
            control = _controls.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:
            raise ProtocolError("A message could not be read.", f"{error}.") from None
        match control.type:
            case "Finalize":
                self._finalizes += 1
                self.stream.mark(self._finalizes)
            case "CloseStream":
                self._close_stream()
            case "KeepAlive":
                self._heard_at = time.monotonic()

    def _close_stream(self) -> None:
        if self._incoming:
            self.stream.feed(self._incoming.finish())
        self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def tell(self, event: events.Event) -> None:
        for message in self._results.follow(event):
            await self._send(message)
        if isinstance(event, events.Done):
            told = self._request.metadata(self._results.duration, self._sha256.hexdigest())
            await self._send({"type": "Metadata", **told})

    async def tell_error(self, error: StreamError) -> None:
        await self._send(
            {"type": "Error", "variant": type(error).__name__, "description": error.what, "message": error.why}
        )

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())
