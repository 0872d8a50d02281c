"""Speech to text as by Kyutai's server: WebSocket `/api/asr-streaming`."""

import asyncio
import time

import numpy as np
from django.http import HttpResponse

from accounts.credentials.principal import AccessDenied
from accounts.scopes import STT
from inference.messages import FRAME_SAMPLES
from speech import errors, events
from speech.dialects.api_view import http_status, retry_headers
from speech.dialects.audio import OpusStream, to_pcm
from speech.dialects.kyutai import messages, metrics
from speech.dialects.kyutai.markers import Marker, Markers
from speech.dialects.kyutai.pause_heads import PauseHeads
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import CloseCode, StreamError

NO_FREE_CHANNELS = "no free channels"
"""moshi-server's error text, which clients recognize."""


def denial(error: AccessDenied | StreamError) -> HttpResponse:
    """As moshi-server: a status without a body."""
    response = HttpResponse(status=http_status(error), headers=retry_headers(error))
    del response.headers["Content-Type"]
    return response


class AsrSocket(SttSocket):
    scope_required = STT
    error_response = staticmethod(denial)

    def prepare(self) -> None:
        super().prepare()
        self._opus: OpusStream | None = None
        self._pauses = PauseHeads()
        self._fed = self._stepped = 0  # samples
        self._fed_at = time.monotonic()
        self._words = 0
        self._pending_words: list[messages.Message] = []  # sent after the step of their frame
        self._markers = Markers(lambda: self.stream.flush(0), self._seconds_without_audio)

    async def serve(self) -> None:
        counted = metrics.connection("asr_connect", metrics.asr_steps)
        with counted as self._counted, self.watched(self._markers.flush_at_pauses):
            await super().serve()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        match messages.decode_asr(data):
            case messages.Audio(pcm=pcm):
                self._feed(np.array(pcm, dtype=np.float32))
            case messages.OggOpus(data=opus):
                self._opus = self._opus or OpusStream()
                self._feed(await asyncio.to_thread(self._opus.decode, bytes(opus)))
            case messages.Marker(id=id):
                self._markers.add(Marker(self.stream.end, id))
                if self.is_ready:
                    await self._send_markers(self._markers.take_before(self.stream.words_until))
            case messages.Init():
                pass

    def _seconds_without_audio(self) -> float:
        return 0.0 if self.is_behind else time.monotonic() - self._fed_at

    def _feed(self, samples: messages.Samples) -> None:
        self._fed_at = time.monotonic()
        self._fed += len(samples)
        self.stream.feed(to_pcm(samples))

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        match event:
            case events.Ready():
                await self._send(messages.Ready())
            case events.Word() if event.index >= self._words:  # else another engine transcribed it again
                self._words += 1
                self._pending_words += [messages.Word(event.text, event.start), messages.EndWord(event.end)]
            case events.Step():
                await self._step(event)
                await self._send_markers(self._markers.take_before(self.stream.words_until))
            case events.Flushed():
                await self._send_markers(self._markers.take_flushed())

    async def _step(self, event: events.Step) -> None:
        """Send one message for every frame, even if engines are lost: clients derive time from their number."""
        while self._stepped + FRAME_SAMPLES <= event.sample:
            self._stepped += FRAME_SAMPLES
            prs = messages.floats(self._pauses.predict(event.speech, event.pauses))
            self._counted.steps += 1
            await self._send(messages.Step(self._counted.steps, prs, max(0, self._fed - self._stepped)))
        await self._send_words()

    async def _send_words(self) -> None:
        words, self._pending_words = self._pending_words, []
        for word in words:
            await self._send(word)

    async def _send_markers(self, ids: list[int]) -> None:
        if ids:
            await self._send_words()
        for id in ids:
            await self._send(messages.Marker(id))

    async def _send(self, message: messages.Message) -> None:
        await self.send(bytes_data=message.encoded())

    async def send_error(self, error: StreamError) -> None:
        await self._send(messages.Error(error_text(error)))

    def close_code(self, error: StreamError) -> int:
        return int(CloseCode.DONE) if isinstance(error, errors.AtCapacity) else super().close_code(error)


def error_text(error: StreamError) -> str:
    return NO_FREE_CHANNELS if isinstance(error, errors.AtCapacity) else f"{error.what} {error.why} {error.action}"
