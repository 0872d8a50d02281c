"""`/v1/listen` as a WebSocket: live results for a stream of audio."""

import hashlib
import time
from typing import Any, Literal

import msgspec

from accounts.scopes import STT
from speech import events
from speech.dialects.audio import AudioDecoder
from speech.dialects.deepgram.messages import Request
from speech.dialects.deepgram.query import Query
from speech.dialects.deepgram.results import Results
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import ProtocolError, StreamError
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json

OGG, WAV = b"OggS", b"RIFF"
"""First bytes of a file that is sent without `encoding`."""
WAV_HEADER = 44  # bytes


class Control(msgspec.Struct):
    type: Literal["KeepAlive", "Finalize", "CloseStream", "Configure"]


_decoder = msgspec.json.Decoder(Control)


class StreamingSocket(SttSocket):
    scope_required = STT

    def parse_query(self) -> None:
        self._decoder: AudioDecoder | None = None
        self._query = Query.of(self.query)
        self._decoder = self._query.decoder()

    def stream_options(self) -> StreamOptions:
        return StreamOptions(engine=self._query.engine, language=self._query.language, keep=self.is_saved)

    def prepare(self) -> None:
        self._query = Query()
        super().prepare()
        self._request = Request()
        self._results = Results(self._request, self._query)
        self._sha256 = hashlib.sha256()
        self._is_first = True
        self._finalizes = 0

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        if self._decoder is None:
            return None
        if not data:
            return self._close_stream()  # older clients end the stream this way
        self._sha256.update(data)
        if self._is_first and not self._query.encoding:
            data = self._open_file(data)
        self._is_first = False
        return self.stream.feed(await self._decoder.decode_message(data))

    def _open_file(self, data: bytes) -> bytes:
        """Choose the decoder by the file's header. Return the data without a WAV header."""
        if data.startswith(OGG):
            self._decoder = AudioDecoder("opus", self._query.rate)
        elif data.startswith(WAV):
            channels, rate = int.from_bytes(data[22:24], "little"), int.from_bytes(data[24:28], "little")
            self._decoder = AudioDecoder("s16le", rate, channels)
            return data[WAV_HEADER:]
        return data

    async def receive_text(self, text: str) -> None:
        try:
            control = decode_json(_decoder, text)
        except InvalidInput as error:
            raise ProtocolError("Invalid message.", str(error)) from None
        match control.type:
            case "Finalize":
                self._finalizes += 1
                self.stream.flush(self._finalizes)
            case "CloseStream":
                self._close_stream()
            case "KeepAlive":
                self._last_received_at = time.monotonic()

    def _close_stream(self) -> None:
        if self._decoder:
            self.stream.feed(self._decoder.flush())
        self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        for message in self._results.on_event(event):
            await self._send(message)
        if isinstance(event, events.Done):
            metadata = self._request.metadata(self._results.duration, self._sha256.hexdigest())
            await self._send({"type": "Metadata", **metadata})

    async def send_error(self, error: StreamError) -> None:
        await self._send(
            {"type": "Error", "variant": type(error).__name__, "description": error.what, "message": error.why}
        )

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())
