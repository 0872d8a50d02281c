"""WhisperLiveKit's protocol, at `/asr`: raw audio or a browser's recording, and the transcript as it changes.

In its mode “full” a message has all lines, the last of which grows; in “diff”, only finished lines that are new.
"""

import re
from typing import Any

import msgspec

from accounts.scopes import STT
from speech import events
from speech.dialects.audio import AudioDecoder
from speech.dialects.self_hosted.live_segments import LiveSegments
from speech.dialects.sockets.audio_input import AudioInput
from speech.dialects.sockets.stt_socket import SttSocket
from speech.errors import ProtocolError, StreamError
from speech.text.word_spacing import join_words

RATE = 16_000  # Hz
ONLY_SPEAKER = 1
FILE = re.compile(rb"\x1aE\xdf\xa3|OggS|RIFF....WAVE|fLaC|ID3|....ftyp", re.DOTALL)
"""The first bytes of a file, from clients that record one nevertheless. Raw audio never begins like this."""


class WhisperLiveKitSocket(SttSocket):
    scope_required = STT

    def parse_query(self) -> None:
        if self.query.get("target_language"):
            raise ProtocolError("“target_language” isn't supported.", "This server transcribes in the language spoken.")

    def prepare(self) -> None:
        self._mode = "diff" if self.query.get("mode") == "diff" else "full"
        self._input: AudioInput | None = None
        self._segments = LiveSegments()
        self._lines: list[dict[str, Any]] = []  # of finished segments
        self._sent = self._lines_sent = 0  # messages, and lines in them
        self._has_changed = self._is_ended = False
        super().prepare()

    async def serve(self) -> None:
        """`useAudioWorklet` asks the client for raw audio: it needs no decoder, and comes in shorter pieces."""
        await self._send({"type": "config", "useAudioWorklet": True, "mode": self._mode})
        try:
            await super().serve()
        finally:
            if self._input:
                await self._input.close()

    # --- From the client --------------------------------------------------------------------------------------------

    async def receive_audio(self, data: bytes) -> None:
        if self._is_ended:
            return
        if data:
            self._input = self._input or AudioInput(None if FILE.match(data) else AudioDecoder("s16le", RATE))
            self.stream.feed(await self._input.decode(data))
        else:
            self._is_ended = True
            if self._input:
                self.stream.feed(await self._input.end())
            self.stop()

    # --- To the client ----------------------------------------------------------------------------------------------

    async def send_event(self, event: events.Event) -> None:
        self._has_changed |= self._segments.on_event(event)
        match event:
            case events.Ready() if not self.is_ready:
                await self._send_state()
            case events.Endpoint(language=language):
                self._add_lines(language)
            case events.Step() if self._has_changed:
                await self._send_state()
            case events.Done():
                self._add_lines()
                await self._send_state()
                await self._send({"type": "ready_to_stop"})

    def _add_lines(self, language: str = "") -> None:
        detected = {"detected_language": language} if language else {}
        self._lines += [_line(each.start, each.end, each.text) | detected for each in self._segments.finished]
        self._segments.finished = []

    async def _send_state(self) -> None:
        self._has_changed = False
        self._sent += 1
        if self._mode == "full":
            await self._send(self._state())
        elif self._sent == 1:
            await self._send({"type": "snapshot", "seq": 1, **self._state()})
        else:
            await self._send(self._difference())

    def _difference(self) -> dict[str, Any]:
        new = self._lines[self._lines_sent :]
        self._lines_sent = len(self._lines)
        state = self._state()
        del state["lines"]
        lines = {"new_lines": new} if new else {}
        return {"type": "diff", "seq": self._sent, **state, "n_lines": self._lines_sent, **lines}

    def _state(self) -> dict[str, Any]:
        """In “diff”, clients only append lines, so the final words of the line that grows are in the buffer."""
        lines, buffer, words = self._lines, self._segments.open_text, self._segments.open
        if self._mode == "full" and words:
            text = join_words(word.text for word in words)
            lines = [*lines, _line(words[0].start, words[-1].end, text)]
            buffer = self._segments.partial.text if self._segments.partial else ""
        lag = round(self.stream.lag, 1)
        return {
            "status": "active_transcription" if lines or buffer else "no_audio_detected",
            "lines": lines,
            "buffer_transcription": buffer,
            "buffer_diarization": "",
            "buffer_translation": "",
            "remaining_time_transcription": lag,
            "remaining_time_transcription_processing": lag,
            "remaining_time_transcription_policy": 0.0,
            "remaining_time_diarization": 0.0,
        }

    async def send_error(self, error: StreamError) -> None:
        """With the transcript: some clients show what the last message has."""
        text = f"{error.what} {error.why}"
        await self._send({**self._state(), "type": "error", "status": "error", "error": text})

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())


def _line(start: float, end: float, text: str) -> dict[str, Any]:
    return {"speaker": ONLY_SPEAKER, "text": text, "start": _clock(start), "end": _clock(end)}


def _clock(seconds: float) -> str:
    """H:MM:SS.cc"""
    minutes, hundredths = divmod(round(seconds * 100), 6_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{hundredths // 100:02}.{hundredths % 100:02}"
