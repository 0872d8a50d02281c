from django.contrib.auth.decorators import login_not_required
from django.urls import path

from accounts import api

# Closed as well where they must be, but REST framework answers in JSON.
urlpatterns = [
    path("api/auth/token", login_not_required(api.AccessToken.as_view()), name="access_token"),
    path("api/auth/refresh", login_not_required(api.Refresh.as_view()), name="refresh_token"),
    path("api/auth/revoke", login_not_required(api.Revoke.as_view()), name="revoke_token"),
    path(".well-known/jwks.json", login_not_required(api.keys), name="jwks"),
]
