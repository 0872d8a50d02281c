from django.contrib.auth.decorators import login_not_required
from django.urls import path

from accounts.credentials import views

# REST framework checks authentication itself and answers in JSON.
urlpatterns = [
    path("api/auth/token", login_not_required(views.AccessToken.as_view()), name="access_token"),
    path("api/auth/refresh", login_not_required(views.Refresh.as_view()), name="refresh_token"),
    path("api/auth/revoke", login_not_required(views.Revoke.as_view()), name="revoke_token"),
    path(".well-known/jwks.json", login_not_required(views.keys), name="jwks"),
]
