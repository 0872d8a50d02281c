"""WebSocket routes. Pages of the site must have its origin; programs need a token."""

from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from speech.dialects.browser.live import LiveSocket
from speech.dialects.browser.talk import TalkSocket
from speech.dialects.browser.voices import VoicesSocket
from speech.dialects.deepgram.flux.socket import FluxSocket
from speech.dialects.deepgram.listen.streaming import StreamingSocket
from speech.dialects.deepgram.speak.socket import SpeakSocket
from speech.dialects.kyutai.asr_socket import AsrSocket
from speech.dialects.kyutai.tts_socket import TtsSocket
from speech.dialects.openai.realtime.socket import RealtimeSocket
from speech.dialects.pcm import PcmSocket
from speech.dialects.self_hosted.vosk import VoskSocket
from speech.dialects.self_hosted.whisper_live import WhisperLiveSocket
from speech.dialects.self_hosted.whisper_live_kit import WhisperLiveKitSocket

websocket_urlpatterns = [
    path("ws/live/", AllowedHostsOriginValidator(LiveSocket.as_asgi())),
    path("ws/talk/", AllowedHostsOriginValidator(TalkSocket.as_asgi())),
    path("ws/voices/", AllowedHostsOriginValidator(VoicesSocket.as_asgi())),
    path("ws/pcm", PcmSocket.as_asgi()),
    path("api/asr-streaming", AsrSocket.as_asgi()),
    path("api/tts_streaming", TtsSocket.as_asgi()),
    path("v1/listen", StreamingSocket.as_asgi()),
    path("v1/speak", SpeakSocket.as_asgi()),
    path("v2/listen", FluxSocket.as_asgi()),
    path("v1/realtime", RealtimeSocket.as_asgi()),
    path("vosk", VoskSocket.as_asgi()),
    path("whisper-live", WhisperLiveSocket.as_asgi()),
    path("asr", WhisperLiveKitSocket.as_asgi()),
]
