"""Which dialect a socket speaks. Those of the site's own pages are bound to its origin; programs have a token."""

from channels.generic.websocket import AsyncWebsocketConsumer
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from speech.dialects.browser import Live
from speech.dialects.deepgram.listen import Listen
from speech.dialects.kyutai.listening import AsrStreaming
from speech.dialects.kyutai.speaking import TtsStreaming
from speech.dialects.openai.realtime.socket import Realtime
from speech.dialects.pcm import Pcm
from speech.dialects.voices import Voices


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
