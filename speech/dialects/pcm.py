"""The simple socket, for everybody who writes a client: `/ws/pcm`, docs/programs.md.

Binary messages are audio; every event is one JSON object. A text message `{"type": "flush"}` brings what was said to
its end, `{"type": "stop"}` does and is the last.
"""

import asyncio

import msgspec

from accounts.scopes import STT
from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.audio import AudioDecoder
from speech.dialects.sockets.stt_socket import IDLE_TIMEOUT, SttSocket
from speech.errors import ProtocolError, StreamError

LARGE = 64 * 1024
"""Bytes from which on a message is decoded beside the event loop."""
MAX_TEXT = 1_000  # characters


class Command(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True):
    pass


class Flush(Command, frozen=True):
    """Answered by `flushed` with the same id, once the words of everything before it were told."""

    id: int = 0


class Stop(Command, frozen=True):
    """Answered by `done`, once everything was told; then the socket is closed."""


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    pass


class Ready(Event, frozen=True):
    """There is a place, and audio is heard from now on; what came before is too."""

    session: str | None
    """Where it is kept, if `keep=true` said so."""
    engine: str
    language: str


class Queued(Event, frozen=True):
    """All places are taken; 1 is next."""

    queue_position: int


class Step(Event, frozen=True):
    """Everything before `time` (seconds) was heard; `speech` is the voice activity just before it, 0 to 1."""

    time: float
    speech: float
    pauses: list[float]
    """How sure the model is of a pause of 0.5, 1, 2 and 3 s; empty where it has no opinion."""


class Partial(Event, frozen=True):
    """What is believed to follow the last word; it may change."""

    text: str
    start: float
    end: float


class Word(Event, frozen=True):
    """Final. Times are in seconds from the first sample sent."""

    index: int
    text: str
    start: float
    end: float
    confidence: float | None


class Endpoint(Event, frozen=True):
    """An utterance is over."""

    start: float
    end: float


class Flushed(Event, frozen=True):
    id: int


class Done(Event, frozen=True):
    words: int


class Error(Event, frozen=True):
    """Told before the socket is closed with `code`."""

    code: int
    what: str
    why: str
    action: str


ServerMessage = Ready | Queued | Step | Partial | Word | Endpoint | Flushed | Done | Error
_commands: msgspec.json.Decoder[Flush | Stop] = msgspec.json.Decoder(Flush | Stop)


class PcmSocket(SttSocket):
    scope_required = STT

    def prepare(self) -> None:
        super().prepare()
        self._incoming: AudioDecoder | None = None
        self._query_error: ProtocolError | None = None
        self._words = 0
        try:
            self._incoming = self._parse_query()
        except ProtocolError as error:
            self._query_error = error  # told once the socket is open: before it there are no words

    def _parse_query(self) -> AudioDecoder:
        idle = self.query.get("idle", "")
        if idle.isdecimal() and 1 <= int(idle) <= IDLE_TIMEOUT:
            self.idle_timeout = float(idle)
        rate = self.query.get("rate", str(SAMPLE_RATE))
        if not rate.isdecimal() or len(rate) > 6:
            raise ProtocolError(f"The rate “{rate[:20]}” is no number of Hz.", "It is one as rate=16000.")
        return AudioDecoder(self.query.get("format", "s16le"), int(rate))

    async def serve(self) -> None:
        if self._query_error:
            raise self._query_error
        await super().serve()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        if self._incoming is None:
            return None
        if not data:
            return self._stop(self._incoming)
        if len(data) > LARGE:
            return self.stream.feed(await asyncio.to_thread(self._incoming.decode, data))
        return self.stream.feed(self._incoming.decode(data))

    async def receive_text(self, text: str) -> None:
        match _read(text):
            case Flush(id=id):
                self.stream.flush(id)
            case Stop() if self._incoming:
                self._stop(self._incoming)

    def _stop(self, incoming: AudioDecoder) -> None:
        self.stream.feed(incoming.flush())
        self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        match event:
            case events.Ready():
                session = event.session if self.is_saved else None
                await self._send(Ready(session, event.engine, event.language))
            case events.Queued(queue_position=place):
                await self._send(Queued(place))
            case events.Step():
                await self._send(Step(event.sample / SAMPLE_RATE, event.speech, event.pauses))
            case events.Partial():
                await self._send(Partial(event.text, event.start, event.end))
            case events.Word() if event.index >= self._words:  # not one that is heard again, by another engine
                self._words += 1
                await self._send(Word(event.index, event.text, event.start, event.end, event.confidence))
            case events.Endpoint():
                await self._send(Endpoint(event.start, event.end))
            case events.Flushed(id=id):
                await self._send(Flushed(id))
            case events.Done(words=words):
                await self._send(Done(words))

    async def send_error(self, error: StreamError) -> None:
        await self._send(Error(int(error.code), error.what, error.why, error.action))

    async def _send(self, event: Event) -> None:
        await self.send(text_data=msgspec.json.encode(event).decode())


def _read(text: str) -> Flush | Stop:
    if len(text) > MAX_TEXT:
        raise ProtocolError(f"A text of {len(text)} characters is too long.", f"The bound is {MAX_TEXT}.")
    try:
        return _commands.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError("A message could not be read.", str(error), "Send flush or stop.") from None
