"""`/v2/listen`: the WebSocket of Flux."""

import time
from typing import Any, Literal

import msgspec

from accounts.scopes import STT
from speech import events
from speech.dialects.deepgram.errors import InvalidParameter, message_of
from speech.dialects.deepgram.flux.query import Change, Query
from speech.dialects.deepgram.flux.turns import Turns
from speech.dialects.deepgram.messages import Request
from speech.dialects.deepgram.stt_socket import DeepgramSocket
from speech.errors import ProtocolError, StreamError
from speech.live.stream_options import StreamOptions
from speech.text.json_input import InvalidInput, decode_json


class Control(msgspec.Struct):
    type: Literal["CloseStream", "Configure", "ForceEndTurn", "KeepAlive"]
    thresholds: Change | None = None
    keyterms: list[str] | None = None
    language_hints: list[str] | None = None
    numerals: bool | None = None


_decoder = msgspec.json.Decoder(Control)


class FluxSocket(DeepgramSocket):
    scope_required = STT

    def read_query(self) -> StreamOptions:
        self._query = Query.of(self.query)
        engine, language = self._query.engine, self._query.language
        return StreamOptions(engine=engine, language=language, keep=self.is_saved, awaits_turns=True)

    def prepare(self) -> None:
        super().prepare()
        self._request_id = Request().id
        self._turns = Turns(self._query.thresholds, self._query.formatting, self.stream.flush, lambda: self.stream.lag)
        self._sent = 0  # messages

    async def serve(self) -> None:
        await self._send({"type": "Connected"})
        await super().serve()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_text(self, text: str) -> None:
        try:
            control = decode_json(_decoder, text)
        except InvalidInput as error:
            raise ProtocolError("Invalid message.", str(error)) from None
        match control.type:
            case "CloseStream":
                await self.close_stream()
            case "Configure":
                await self._configure(control)
            case "ForceEndTurn":
                self._turns.force_end()
            case "KeepAlive":
                self._last_received_at = time.monotonic()

    async def _configure(self, control: Control) -> None:
        try:
            if control.keyterms or control.numerals or control.language_hints:
                raise InvalidParameter(
                    "Only thresholds can be changed.", "This site's engines lack the other features."
                )
            self._turns.thresholds = self._turns.thresholds.changed(control.thresholds or Change())
        except InvalidParameter as error:
            failure = {"type": "ConfigureFailure", "code": "INVALID_CONFIGURATION", "description": message_of(error)}
            return await self._send(failure)
        thresholds = self._turns.thresholds.to_dict()
        return await self._send({"type": "ConfigureSuccess", "thresholds": thresholds, "keyterms": []})

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        hints = {"languages_hinted": list(self._query.hints)} if self._query.hints else {}
        for message in self._turns.on_event(event):
            await self._send({**message, **hints})

    async def send_error(self, error: StreamError) -> None:
        description = f"{error.what} {error.why}"
        await self._send({"type": "Error", "code": type(error).__name__, "description": description})

    async def _send(self, message: dict[str, Any]) -> None:
        """Number the message."""
        await self.send_message({**message, "request_id": self._request_id, "sequence_id": self._sent})
        self._sent += 1
