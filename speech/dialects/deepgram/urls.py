from django.urls import path

from speech.dialects.deepgram.listen.prerecorded import prerecorded
from speech.dialects.deepgram.speak.whole_text import speak

urlpatterns = [
    path("listen", prerecorded, name="deepgram_recorded"),
    path("speak", speak, name="deepgram_speak"),
]
