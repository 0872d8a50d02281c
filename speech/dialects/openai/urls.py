from django.urls import path

from speech.dialects.openai import models, speech, transcriptions, translations
from speech.dialects.openai.realtime.secrets import client_secrets

urlpatterns = [
    path("realtime/client_secrets", client_secrets, name="openai_client_secrets"),
    path("models", models.models, name="openai_models"),
    path("models/<path:name>", models.model, name="openai_model"),
    path("audio/transcriptions", transcriptions.transcriptions, name="openai_transcriptions"),
    path("audio/translations", translations.translations, name="openai_translations"),
    path("audio/speech", speech.speech, name="openai_speech"),
    path("audio/models", models.speech_models, name="openai_speech_models"),
    path("audio/voices", speech.voices, name="openai_voices"),
]
