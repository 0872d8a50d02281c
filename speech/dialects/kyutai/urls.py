from django.urls import path

from speech.dialects.kyutai import asr_http, server_info, tts_http

urlpatterns = [
    path("api/asr-streaming", asr_http.transcribe_file, name="asr_streaming"),
    path("api/tts_streaming", tts_http.speak_streamed, name="tts_streaming"),
    path("api/tts", tts_http.speak_whole, name="tts"),
    path("api/build_info", server_info.build_info, name="build_info"),
    path("api/modules_info", server_info.modules_info, name="modules_info"),
    path("api/voice", server_info.no_voice_cloning, name="voice_cloning"),
]
