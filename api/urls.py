from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern, path, re_path
from drf_spectacular.views import SpectacularAPIView

from api import accounts, engines, personas, sessions, uploads, webhooks
from api.conventions.base import ApiView, NotFound
from api.docs import docs


def _protected(route: str, view: type[ApiView], name: str, **initkwargs: str) -> URLPattern:
    """Exempt from the login redirect: REST framework checks permissions and responds in JSON."""
    return path(route, login_not_required(view.as_view(**initkwargs)), name=f"api_{name}")  # type: ignore[attr-defined]


urlpatterns = [
    path("schema/", login_not_required(SpectacularAPIView.as_view()), name="api_schema"),
    path("docs/", docs, name="api_docs"),
    _protected("me/", accounts.Me, "me"),
    _protected("users/", accounts.Users, "users"),
    _protected("users/<int:pk>/", accounts.UserDetail, "user"),
    _protected("users/<int:pk>/approve/", accounts.Decision, "user_approve", verb="approve"),
    _protected("users/<int:pk>/reject/", accounts.Decision, "user_reject", verb="reject"),
    _protected("sessions/", sessions.Sessions, "sessions"),
    _protected("sessions/<uuid:pk>/", sessions.SessionDetail, "session"),
    _protected("sessions/<uuid:pk>/words/", sessions.Words, "session_words"),
    _protected("sessions/<uuid:pk>/transcript.<slug:extension>", sessions.Export, "session_export"),
    _protected("sessions/<uuid:pk>/audio.<slug:extension>", sessions.Audio, "session_audio"),
    _protected("uploads/", uploads.Uploads, "uploads"),
    _protected("uploads/<uuid:pk>/", uploads.UploadDetail, "upload"),
    _protected("uploads/<uuid:pk>/content/", uploads.Content, "upload_content"),
    _protected("uploads/<uuid:pk>/accept/", uploads.Accept, "upload_accept"),
    _protected("personas/", personas.Personas, "personas"),
    _protected("personas/<int:pk>/", personas.PersonaDetail, "persona"),
    _protected("webhooks/", webhooks.Webhooks, "webhooks"),
    _protected("webhooks/<uuid:pk>/", webhooks.WebhookDetail, "webhook"),
    _protected("engines/", engines.Engines, "engines"),
    _protected("voices/", engines.Voices, "voices"),
    re_path("", login_not_required(NotFound.as_view()), name="api_not_found"),
]
