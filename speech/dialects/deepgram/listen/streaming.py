"""`/v1/listen` as a WebSocket: live results for a stream of audio."""

import hashlib
import time
from typing import Literal

import msgspec

from accounts.scopes import STT
from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.deepgram.listen.query import Query
from speech.dialects.deepgram.listen.results import Results
from speech.dialects.deepgram.messages import Request
from speech.dialects.deepgram.stt_socket import DeepgramSocket
from speech.errors import ProtocolError, StreamError
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json


class Control(msgspec.Struct):
    type: Literal["KeepAlive", "Finalize", "CloseStream", "Configure"]
    keyterms: list[str] | None = None
    features: dict[str, bool] | None = None


_decoder = msgspec.json.Decoder(Control)


class StreamingSocket(DeepgramSocket):
    scope_required = STT

    def read_query(self) -> StreamOptions:
        self._query = Query.of_live(self.query)
        engine, language = self._query.engine, self._query.language
        return StreamOptions(engine=engine, language=language, keep=self.is_saved, awaits_turns=True)

    def prepare(self) -> None:
        super().prepare()
        self._request = Request(self._query.tags, self._query.extra)
        self._results = Results(self._request, self._query)
        self._sha256 = hashlib.sha256()
        self._finalizes = 0

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        self._sha256.update(data)
        await super().receive_audio(data)

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
                await self.close_stream()
            case "KeepAlive":
                self._last_received_at = time.monotonic()
            case "Configure":
                await self._configure(control)

    async def _configure(self, control: Control) -> None:
        """Refuse what the query can't have either."""
        answer = {"type": "ConfigureSuccess", "request_id": self._request.id}
        if control.keyterms or any((control.features or {}).values()):
            code = "CONFIGURE_KEYTERMS_NOT_SUPPORTED" if control.keyterms else "CONFIGURE_FEATURES_NOT_SUPPORTED"
            description = "This site's engines don't have the feature."
            answer |= {"type": "ConfigureFailure", "code": code, "description": description}
        await self.send_message(answer)

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        for message in self._results.on_event(event, self.stream.words_until / SAMPLE_RATE):
            await self.send_message(message)
        if isinstance(event, events.Done):
            metadata = self._request.metadata(self._results.duration, self._sha256.hexdigest())
            await self.send_message({"type": "Metadata", **metadata})

    async def send_error(self, error: StreamError) -> None:
        await self.send_message(
            {"type": "Error", "variant": type(error).__name__, "description": error.what, "message": error.why}
        )
