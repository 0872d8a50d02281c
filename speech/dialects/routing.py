"""WebSocket routes. Pages of the site must have its origin; programs need a token."""

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from speech.dialects.browser.live import LiveSocket
from speech.dialects.browser.talk import TalkSocket
from speech.dialects.browser.voices import VoicesSocket
from speech.dialects.deepgram.streaming import StreamingSocket
from speech.dialects.kyutai.asr_socket import AsrSocket
from speech.dialects.kyutai.tts_socket import TtsSocket
from speech.dialects.openai.realtime.socket import RealtimeSocket
from speech.dialects.pcm import PcmSocket


class NotFound(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/live/", AllowedHostsOriginValidator(LiveSocket.as_asgi())),
    path("ws/talk/", AllowedHostsOriginValidator(TalkSocket.as_asgi())),
    path("ws/voices/", AllowedHostsOriginValidator(VoicesSocket.as_asgi())),
    path("ws/pcm", PcmSocket.as_asgi()),
    path("api/asr-streaming", AsrSocket.as_asgi()),
    path("api/tts_streaming", TtsSocket.as_asgi()),
    path("v1/listen", StreamingSocket.as_asgi()),
    path("v1/realtime", RealtimeSocket.as_asgi()),
    re_path("", NotFound.as_asgi()),
]
