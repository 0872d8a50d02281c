from django.contrib.auth.decorators import login_not_required
from django.urls import path

from speech.dialects.asyncapi import asyncapi
from speech.library.exports import views as exports
from speech.pages import (
    capacity,
    corrections,
    data_export,
    home,
    session,
    session_list,
    shares,
    trash,
)
from speech.pages.streaming import live, talk, tickets, voices
from speech.uploads import views as uploads

urlpatterns = [
    path("", home.home, name="home"),
    path("api/asyncapi.json", asyncapi, name="asyncapi"),
    path("api/status", capacity.status, name="status"),
    path("live/", live.live, name="live"),
    path("talk/", talk.talk, name="talk"),
    path("voices/", voices.voices, name="voices"),
    path("voices/file.<slug:extension>", voices.voices_file, name="voices_file"),
    path("sessions/", session_list.sessions, name="sessions"),
    path("accounts/data/", data_export.data_export, name="data_export"),
    path("accounts/data/download/", data_export.download_all, name="download_all"),
    path("sessions/upload/", uploads.uploads, name="upload"),
    path("sessions/bulk/", session_list.bulk, name="sessions_bulk"),
    path("sessions/undo/", trash.undo, name="sessions_undo"),
    path("sessions/deleted/", trash.trash, name="trash"),
    path("sessions/deleted/permanently/", trash.delete_permanently, name="sessions_delete_permanently"),
    path("sessions/deleted/<uuid:pk>/restore/", trash.restore, name="session_restore"),
    path("sessions/<uuid:pk>/", session.session, name="session"),
    path("sessions/transcripts.zip", exports.transcripts, name="transcripts"),
    path("sessions/<uuid:pk>/transcript.<slug:extension>", exports.transcript, name="transcript"),
    path("sessions/<uuid:pk>/audio.flac", session.flac, name="session_flac"),
    path("sessions/<uuid:pk>/audio.wav", session.wav, name="session_wav"),
    path("sessions/<uuid:pk>/peaks", session.peaks, name="session_peaks"),
    path("sessions/<uuid:pk>/details/", session.details, name="session_details"),
    path("sessions/<uuid:pk>/segments/<int:segment>/", corrections.correct, name="correct"),
    path("sessions/<uuid:pk>/replace/", corrections.replace, name="session_replace"),
    path("sessions/<uuid:pk>/corrections/<int:correction>/undo/", corrections.undo, name="correction_undo"),
    path("sessions/<uuid:pk>/share/", shares.share, name="share"),
    path("sessions/<uuid:pk>/share/<int:share>/revoke/", shares.revoke, name="share_revoke"),
    path("shared/<str:token>/", shares.shared, name="shared"),
    path("shared/<str:token>/audio.flac", shares.flac, name="shared_flac"),
    path("shared/<str:token>/audio.wav", shares.wav, name="shared_wav"),
    path("shared/<str:token>/peaks", shares.peaks, name="shared_peaks"),
    path("sessions/<uuid:pk>/delete/", trash.session_delete, name="session_delete"),
    # It needs a login too: REST framework checks it and answers in JSON.
    path("api/tickets/", login_not_required(tickets.Tickets.as_view()), name="tickets"),
]
