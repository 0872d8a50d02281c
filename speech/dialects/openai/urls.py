from django.urls import path

from speech.dialects.openai import models, speech, transcriptions
from speech.dialects.openai.realtime.secrets import client_secrets

urlpatterns = [
    path("realtime/client_secrets", client_secrets, name="openai_client_secrets"),
    path("models", models.models, name="openai_models"),
    path("models/<str:name>", models.model, name="openai_model"),
    path("audio/transcriptions", transcriptions.transcriptions, name="openai_transcriptions"),
    path("audio/speech", speech.speech, name="openai_speech"),
    path("audio/voices", speech.voices, name="openai_voices"),
]
