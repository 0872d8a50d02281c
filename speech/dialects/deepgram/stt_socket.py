"""Base of Deepgram's speech-to-text WebSockets: the audio, and the check of the query before the handshake."""

from abc import abstractmethod
from typing import Any

import msgspec

from speech.dialects.deepgram.errors import error_response
from speech.dialects.deepgram.parameters import audio_input, check_engine
from speech.dialects.sockets.stt_socket import SttSocket
from speech.live.stream_options import StreamOptions


class DeepgramSocket(SttSocket):
    error_response = staticmethod(error_response)

    @abstractmethod
    def read_query(self) -> StreamOptions:
        """Raises `StreamError`."""

    async def check_query(self) -> None:
        self._options = self.read_query()
        self._audio = audio_input(self.query)
        await check_engine(self._options.engine, self._options.language)

    def stream_options(self) -> StreamOptions:
        return self._options

    async def run_job(self) -> None:
        try:
            await super().run_job()
        finally:
            await self._audio.close()

    async def receive_audio(self, data: bytes) -> None:
        if not data:
            return await self.close_stream()  # older clients end the stream this way
        return self.stream.feed(await self._audio.decode(data))

    async def close_stream(self) -> None:
        self.stream.feed(await self._audio.end())
        self.stop()

    async def send_message(self, message: dict[str, Any]) -> None:
        await self.send(text_data=msgspec.json.encode(message).decode())
