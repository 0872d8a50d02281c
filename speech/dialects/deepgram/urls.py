from django.urls import path

from speech.dialects.deepgram.prerecorded import recorded

urlpatterns = [path("listen", recorded, name="deepgram_recorded")]
