from django.urls import path

from speech.dialects.self_hosted.whisper_cpp import inference

urlpatterns = [
    path("inference", inference, name="whisper_cpp_inference"),
]
