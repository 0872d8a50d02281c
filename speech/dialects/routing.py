"""Which dialect a socket speaks. Those of the site's own pages are bound to its origin; programs have a token."""

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from speech.dialects.browser.live import Live
from speech.dialects.browser.voices import Voices
from speech.dialects.deepgram.streaming import Listen
from speech.dialects.kyutai.asr_socket import AsrStreaming
from speech.dialects.kyutai.tts_socket import TtsStreaming
from speech.dialects.openai.realtime.socket import Realtime
from speech.dialects.pcm import Pcm


class Nowhere(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.close()


websocket_urlpatterns = [
    path("ws/live/", AllowedHostsOriginValidator(Live.as_asgi())),
    path("ws/voices/", AllowedHostsOriginValidator(Voices.as_asgi())),
    path("ws/pcm", Pcm.as_asgi()),
    path("api/asr-streaming", AsrStreaming.as_asgi()),
    path("api/tts_streaming", TtsStreaming.as_asgi()),
    path("v1/listen", Listen.as_asgi()),
    path("v1/realtime", Realtime.as_asgi()),
    re_path("", Nowhere.as_asgi()),
]
