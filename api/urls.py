from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularAPIView

from api import accounts, engines, sessions, uploads
from api.conventions.base import ApiView, NotFound
from api.docs import docs


def _closed(route: str, view: type[ApiView], name: str, **wishes: str) -> URLPattern:
    """Closed as well, but REST framework answers in JSON."""
    return path(route, login_not_required(view.as_view(**wishes)), name=f"rest_{name}")  # type: ignore[attr-defined]


urlpatterns = [
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="rest_schema"),
    path("docs/", docs, name="rest_docs"),
    _closed("me/", accounts.Me, "me"),
    _closed("users/", accounts.Users, "users"),
    _closed("users/<int:pk>/", accounts.UserDetail, "user"),
    _closed("users/<int:pk>/approve/", accounts.Decision, "user_approve", verb="approve"),
    _closed("users/<int:pk>/reject/", accounts.Decision, "user_reject", verb="reject"),
    _closed("sessions/", sessions.Sessions, "sessions"),
    _closed("sessions/<uuid:pk>/", sessions.SessionDetail, "session"),
    _closed("sessions/<uuid:pk>/words/", sessions.Words, "session_words"),
    _closed("sessions/<uuid:pk>/transcript.<slug:extension>", sessions.Export, "session_export"),
    _closed("sessions/<uuid:pk>/audio.<slug:extension>", sessions.Audio, "session_audio"),
    _closed("uploads/", uploads.Uploads, "uploads"),
    _closed("uploads/<uuid:pk>/", uploads.UploadDetail, "upload"),
    _closed("uploads/<uuid:pk>/content/", uploads.Content, "upload_content"),
    _closed("uploads/<uuid:pk>/accept/", uploads.Accept, "upload_accept"),
    _closed("engines/", engines.Engines, "engines"),
    _closed("voices/", engines.Voices, "voices"),
    re_path("", login_not_required(NotFound.as_view()), name="rest_nowhere"),
]
