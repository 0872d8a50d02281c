from django.urls import path

from speech.dialects.deepgram.prerecorded import prerecorded

urlpatterns = [path("listen", prerecorded, name="deepgram_recorded")]
