"""Plain WebSocket protocol for custom clients: `/ws/pcm`, docs/clients.md.

Binary messages are audio; every event is one JSON object. The text message `{"type": "flush"}` finishes the words of
the audio sent so far, `{"type": "stop"}` does so and ends the stream.
"""

import msgspec

from accounts.scopes import STT
from inference.messages import SAMPLE_RATE
from speech import events
from speech.dialects.audio import AudioDecoder
from speech.dialects.sockets.stt_socket import IDLE_TIMEOUT, SttSocket
from speech.errors import ProtocolError, StreamError
from speech.text.json_input import InvalidInput, decode_json

MAX_TEXT = 1_000  # characters
SPARSE_STEPS_LAG = 5.0
"""Seconds of unprocessed audio above which only one `Step` per second of audio is sent: to a client that sends a whole
recording, they are most of what it has to read."""


class Command(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True):
    pass


class Flush(Command, frozen=True):
    """Answered by `flushed` with the same id, once the words of all audio before it were sent."""

    id: int = 0


class Stop(Command, frozen=True):
    """Answered by `done`, once everything was sent; then the server closes the connection."""


class Event(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower):
    pass


class Ready(Event, frozen=True):
    """The stream has a slot. Audio sent before is transcribed too."""

    session: str | None
    """Id of the saved session with `keep=true`, else null."""
    engine: str
    language: str


class Step(Event, frozen=True):
    """Audio before `time` (seconds) was processed; `speech` is the voice activity just before it, 0 to 1."""

    time: float
    speech: float
    pauses: list[float]
    """Probabilities of a pause of 0.5, 1, 2 and 3 s; empty if the model doesn't predict them."""


class Word(Event, frozen=True):
    """A final word. Times are in seconds from the first sample sent."""

    index: int
    text: str
    start: float
    end: float
    confidence: float | None


class Endpoint(Event, frozen=True):
    """A segment ended."""

    start: float
    end: float


class Done(Event, frozen=True):
    words: int


class Error(Event, frozen=True):
    """Sent before the server closes the connection with `code`."""

    code: int
    what: str
    why: str
    action: str


ServerMessage = Ready | events.Queued | Step | events.Partial | Word | Endpoint | events.Flushed | Done | Error
_commands: msgspec.json.Decoder[Flush | Stop] = msgspec.json.Decoder(Flush | Stop)


class PcmSocket(SttSocket):
    scope_required = STT

    def parse_query(self) -> None:
        self._decoder: AudioDecoder | None = None
        idle = self.query.get("idle", "")
        if idle.isdecimal() and 1 <= int(idle) <= IDLE_TIMEOUT:
            self.idle_timeout = float(idle)
        rate = self.query.get("rate", str(SAMPLE_RATE))
        if not rate.isdecimal() or len(rate) > 6:
            why = "Use a number in Hz, for example rate=16000."
            raise ProtocolError(f"Invalid sample rate “{rate[:20]}”.", why)
        self._decoder = AudioDecoder(self.query.get("format", "s16le"), int(rate))

    def prepare(self) -> None:
        super().prepare()
        self._words = 0
        self._next_step = 0  # sample from which on a step is sent in any case

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        if self._decoder is None:
            return None
        if not data:
            return self._stop(self._decoder)
        return self.stream.feed(await self._decoder.decode_message(data))

    async def receive_text(self, text: str) -> None:
        match _parse_command(text):
            case Flush(id=id):
                self.stream.flush(id)
            case Stop() if self._decoder:
                self._stop(self._decoder)

    def _stop(self, decoder: AudioDecoder) -> None:
        self.stream.feed(decoder.flush())
        self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        match event:
            case events.Ready():
                session = event.session if self.is_saved else None
                await self._send(Ready(session, event.engine, event.language))
            case events.Queued() | events.Partial() | events.Flushed():
                await self._send(event)
            case events.Step() if self.stream.lag <= SPARSE_STEPS_LAG or event.sample >= self._next_step:
                self._next_step = event.sample + SAMPLE_RATE
                await self._send(Step(event.sample / SAMPLE_RATE, event.speech, event.pauses))
            case events.Word() if event.index >= self._words:  # else another engine transcribed it again
                self._words += 1
                await self._send(Word(event.index, event.text, event.start, event.end, event.confidence))
            case events.Endpoint():
                await self._send(Endpoint(event.start, event.end))
            case events.Done(words=words):
                await self._send(Done(words))

    async def send_error(self, error: StreamError) -> None:
        await self._send(Error(int(error.code), error.what, error.why, error.action))

    async def _send(self, event: ServerMessage) -> None:
        await self.send(text_data=msgspec.json.encode(event).decode())


def _parse_command(text: str) -> Flush | Stop:
    if len(text) > MAX_TEXT:
        raise ProtocolError(f"A text of {len(text)} characters is too long.", f"The limit is {MAX_TEXT}.")
    try:
        return decode_json(_commands, text)
    except InvalidInput as error:
        raise ProtocolError("Invalid message.", str(error), "Supported messages: flush, stop.") from None
