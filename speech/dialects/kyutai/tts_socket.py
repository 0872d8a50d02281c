"""Text to speech as by Kyutai's server: WebSocket `/api/tts_streaming`."""

from functools import partial

import numpy as np
import sphn

from accounts.credentials.principal import BadQuery
from accounts.scopes import TTS
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE
from speech import errors, events
from speech.dialects.kyutai import messages, metrics
from speech.dialects.kyutai.asr_socket import denial, error_text
from speech.dialects.kyutai.messages import Samples, floats
from speech.dialects.sockets.api_socket import ApiSocket
from speech.errors import CloseCode, StreamError
from speech.gateway.link import Link
from speech.synthesis.job import SynthesisJob
from speech.synthesis.options import SynthesisOptions

EOS = b"\x00"
FULL_SCALE = 0.99


class Encoding:
    """Encoding of frames in one of the formats. Only those with messages carry words, `Ready` and errors."""

    def __init__(self, format: str) -> None:
        self.has_messages = format.endswith("MessagePack")
        self._opus = sphn.OpusStreamWriter(SAMPLE_RATE) if format.startswith("OggOpus") else None

    @property
    def header(self) -> bytes | None:
        return self._pack(self._opus.append_pcm(np.zeros(0, np.float32))) if self._opus else None

    def frame(self, samples: Samples) -> bytes | None:
        """Encode a frame; None if the encoder needs more audio first."""
        if self._opus:
            pages = self._opus.append_pcm(samples)
            return self._pack(pages) if pages else None
        if self.has_messages:
            return messages.SpokenAudio(floats(samples)).encoded()
        return samples.astype("<f4").tobytes()

    def _pack(self, pages: bytes) -> bytes:
        return messages.SpokenOpus(list(pages)).encoded() if self.has_messages else pages


FORMATS = ("Pcm", "PcmMessagePack", "OggOpus", "OggOpusMessagePack")


async def resolve_voice(name: str) -> str:
    """Name of the voice, or "" for the server's choice if it is unknown: moshi-server doesn't report that either."""
    engines = (await Link.current().workers.tts_engines()).values()
    return name if any(voice.name == name for status in engines for voice in status.voices or ()) else ""


class FrameSplitter:
    """Splits audio that arrives in chunks of any size into whole frames."""

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)

    def split(self, pcm: bytes) -> list[Samples]:
        """Return float32[1920] each, limited to the level of moshi-server."""
        samples = np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)
        audio = np.concatenate((self._rest, samples.clip(-FULL_SCALE, FULL_SCALE)))
        whole = len(audio) - len(audio) % FRAME_SAMPLES
        self._rest = audio[whole:]
        return np.split(audio[:whole], whole // FRAME_SAMPLES) if whole else []

    def flush(self) -> list[Samples]:
        """Return the last frame, padded with silence."""
        rest = len(self._rest)
        return self.split(bytes(2 * (FRAME_SAMPLES - rest))) if rest else []


class TtsSocket(ApiSocket):
    scope_required = TTS
    error_response = staticmethod(denial)

    def prepare(self) -> None:
        format = self.query.get("format", "OggOpus")
        if format not in FORMATS:
            raise BadQuery(f"Unsupported format “{format}”.", f"Supported formats: {', '.join(FORMATS)}.")
        self._encoding = Encoding(format)
        self._frames = FrameSplitter()
        self._pending_text: list[str] = []  # received before the job was created
        self._is_finished = self._has_text = False
        self._job: SynthesisJob | None = None
        self._failure: StreamError | None = None  # before the job was created

    async def serve(self) -> None:
        with metrics.connection("py_connect", metrics.py_steps) as self._counted:
            voice = await resolve_voice(self.query.get("voice", ""))
            self._job = SynthesisJob(self.caller.user, self._on_event, SynthesisOptions(voice=voice))
            if self._failure:
                raise self._failure
            with self.watched(partial(self.fail_at_capacity, "tts")):
                self._forward_text()
                await self._job.run()

    def fail(self, error: StreamError) -> None:
        if self._job:
            self._job.fail(error)
        else:
            self._failure = self._failure or error

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            self._receive(text_data, bytes_data)
            self._forward_text()
        except StreamError as error:
            self.fail(error)

    def _receive(self, text: str | None, data: bytes | None) -> None:
        if data == EOS:  # checked first: it is also valid MessagePack
            self._is_finished = True
            return
        match messages.Text(text or "") if data is None else messages.decode_tts(data):
            case messages.Text(text=words):
                self._pending_text.append(f"{words} ")  # a message ends with a whole word
            case messages.Eos():
                self._is_finished = True
            case messages.Voice():
                raise errors.ProtocolError(
                    "Voice cloning isn't supported.",
                    "The model's voice encoder was not released.",
                    "Choose one of the server's voices by name.",
                )

    def _forward_text(self) -> None:
        if self._job is None:
            return
        text, self._pending_text = "".join(self._pending_text), []
        if text.strip():
            self._has_text = True
            self._job.add_text(text)
        if self._is_finished and not self._has_text:
            self._job.stop()  # an empty text is no error
        elif self._is_finished:
            self._job.finish()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def _on_event(self, event: events.Event) -> None:
        match event:
            case events.SynthesisStarted() if not self.is_ready:
                self.is_ready = True
                await self._send(messages.Ready())
                if header := self._encoding.header:
                    await self.send(bytes_data=header)
            case events.SpokenWord():
                await self._send(messages.SpokenText(event.text, event.start, event.end))
            case events.Audio(pcm=pcm):
                await self._send_frames(self._frames.split(pcm))
            case events.SynthesisDone():
                await self._send_frames(self._frames.flush())

    async def _send_frames(self, frames: list[Samples]) -> None:
        for frame in frames:
            self._counted.steps += 1
            if packed := self._encoding.frame(frame):
                await self.drained()
                await self.send(bytes_data=packed)

    async def _send(self, message: messages.Message) -> None:
        if self._encoding.has_messages:
            await self.send(bytes_data=message.encoded())

    async def send_error(self, error: StreamError) -> None:
        await self._send(messages.Error(error_text(error)))

    def close_code(self, error: StreamError) -> int:
        return int(CloseCode.DONE) if isinstance(error, errors.AtCapacity) else super().close_code(error)
