"""`/v1/speak` as a WebSocket: speech of a text while it is being written.

The text up to a `Flush` is one job: it begins with the first text, and `Flushed` follows its audio.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Any, Literal
from uuid import uuid4

import msgspec

from accounts.scopes import TTS
from speech import events
from speech.dialects.deepgram.errors import TextTooLong, error_response
from speech.dialects.deepgram.messages import VERSION, model_id
from speech.dialects.deepgram.speak.query import live_format, synthesis_options
from speech.dialects.encoder import Encoder
from speech.dialects.sockets.api_socket import ApiSocket
from speech.errors import InvalidText, ProtocolError, StreamError
from speech.gateway.link import Link
from speech.synthesis.job import SynthesisJob
from speech.synthesis.text_input import MAX_TEXT
from speech.text.json_input import InvalidInput, decode_json

MAX_PENDING = 50
"""Texts that were flushed and are not spoken yet; further ones are refused with a warning."""
IDLE_TIMEOUT = 3_600.0
"""Seconds without a message after which the WebSocket is closed, as Deepgram does."""


class Command(msgspec.Struct):
    type: Literal["Speak", "Flush", "Clear", "Close"]
    text: str = ""


_decoder = msgspec.json.Decoder(Command)


class Turn:
    """A text up to its `Flush`."""

    def __init__(self) -> None:
        self.text = ""
        self.is_flushed = False
        self.job: SynthesisJob | None = None

    def add(self, text: str) -> None:
        """Raises `TextTooLong`."""
        if len(self.text) + len(text) > MAX_TEXT:
            raise TextTooLong
        self.text += text
        if self.job and not self.job.is_ending:
            self.job.add_text(text)

    def finish(self) -> None:
        self.is_flushed = True
        if self.job:
            self.job.finish()


class SpeakSocket(ApiSocket):
    scope_required = TTS
    error_response = staticmethod(error_response)

    async def check_query(self) -> None:
        self._format = live_format(self.query)
        engines = await Link.current().workers.tts_engines()
        self._options = synthesis_options(self.query, engines)

    def prepare(self) -> None:
        self._turns: deque[Turn] = deque()  # the first one is spoken; the last one may get more text
        self._changed = asyncio.Event()
        self._is_closing = False
        self._failure: StreamError | None = None
        self._flushes = self._clears = 0

    async def serve(self) -> None:
        name = self._options.voice
        metadata = {"model_name": name, "model_version": VERSION, "model_uuid": model_id(name)}
        await self._send({"type": "Metadata", "request_id": str(uuid4()), **metadata})
        while not (self._is_closing and not self._turns):
            if self._turns and (self._turns[0].text.strip() or self._turns[0].is_flushed):
                await self._speak(self._turns[0])
            else:
                await self._wait()
            if self._failure:
                raise self._failure

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(IDLE_TIMEOUT):
                await self._changed.wait()
        except TimeoutError:
            raise ProtocolError("No message received.", f"Idle connections end after {IDLE_TIMEOUT:.0f} s.") from None
        self._changed.clear()

    async def _speak(self, turn: Turn) -> None:
        """Speak the text until it is flushed, and all of it was sent, or until it is cleared."""
        encoder = Encoder(self._format)
        if turn.text.strip():
            turn.job = job = SynthesisJob(self.caller.user, partial(self._on_event, turn, encoder), self._options)
            job.add_text(turn.text)
            if turn.is_flushed:
                job.finish()
            if self._failure:
                raise self._failure
            with self.watched(partial(self.fail_at_capacity, "tts")):
                await self._run(job)
        if self._turns and self._turns[0] is turn:
            self._turns.popleft()
            await self._send_audio(encoder.end())
            self._flushes += 1
            await self._send({"type": "Flushed", "sequence_id": self._flushes - 1})

    async def _run(self, job: SynthesisJob) -> None:
        try:
            await job.run()
        except InvalidText as error:  # nothing in it can be spoken, or no more of it came for long
            await self._warn("DATA-0000", f"{error.what} {error.why}")

    def fail(self, error: StreamError) -> None:
        self._failure = self._failure or error
        if self._turns and (job := self._turns[0].job):
            job.fail(error)
        self._changed.set()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            await self._receive(text_data)
        except StreamError as error:
            self.fail(error)
        self._changed.set()

    async def _receive(self, text: str | None) -> None:
        if text is None:
            raise ProtocolError("Unexpected binary message.", "Messages of this protocol are JSON.")
        try:
            command = decode_json(_decoder, text)
        except InvalidInput as error:
            raise ProtocolError("Invalid message.", str(error)) from None
        match command.type:
            case "Speak":
                self._open_turn().add(command.text)
            case "Flush":
                await self._flush()
            case "Clear":
                await self._clear()
            case "Close":
                if self._turns:
                    self._turns[-1].finish()
                self._is_closing = True

    def _open_turn(self) -> Turn:
        if not self._turns or self._turns[-1].is_flushed:
            self._turns.append(Turn())
        return self._turns[-1]

    async def _flush(self) -> None:
        if len(self._turns) > MAX_PENDING:
            return await self._warn("EXCESSIVE_FLUSH", f"More than {MAX_PENDING} texts wait. The flush was ignored.")
        return self._open_turn().finish()

    async def _clear(self) -> None:
        if self._turns and (job := self._turns[0].job):
            job.stop()
        self._turns.clear()
        await self._send({"type": "Cleared", "sequence_id": self._clears})
        self._clears += 1

    # --- To the client ----------------------------------------------------------------------------------------------

    async def _on_event(self, turn: Turn, encoder: Encoder, event: events.Event) -> None:
        match event:
            case events.SynthesisStarted():
                self.is_ready = True
            case events.Audio(pcm=pcm) if self._turns and self._turns[0] is turn:
                await self._send_audio(encoder.add(pcm))

    async def _send_audio(self, audio: bytes) -> None:
        if audio:
            await self.drained()
            await self.send(bytes_data=audio)

    async def _warn(self, code: str, description: str) -> None:
        names = {"code": code, "description": description, "warn_code": code, "warn_msg": description}
        await self._send({"type": "Warning", **names})  # its documentation has the last two, its SDK the others

    async def send_error(self, error: StreamError) -> None:
        description = f"{error.what} {error.why}"
        await self._send({"type": "Error", "code": type(error).__name__, "description": description})

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())
