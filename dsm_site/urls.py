from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("operations.urls")),
    path("", include("speech.urls")),
    path("", include("accounts.credentials.urls")),
    path("api/v1/", include("api.urls")),
    path("v1/", include("speech.dialects.openai.urls")),
    path("", include("speech.dialects.kyutai.urls")),
    path("v1/", include("speech.dialects.deepgram.urls")),
    path("", include("speech.dialects.self_hosted.urls")),
    path("accounts/webhooks/", include("webhooks.urls")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

handler500 = "dsm_site.error_views.server_error"
