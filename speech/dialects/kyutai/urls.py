from django.urls import path

from speech.dialects.kyutai import files, infos, speeches

urlpatterns = [
    path("api/asr-streaming", files.transcribe_file, name="asr_streaming"),
    path("api/tts_streaming", speeches.speak_streamed, name="tts_streaming"),
    path("api/tts", speeches.speak_whole, name="tts"),
    path("api/build_info", infos.build_info, name="build_info"),
    path("api/modules_info", infos.modules_info, name="modules_info"),
    path("api/voice", infos.no_voice_cloning, name="voice_cloning"),
]
