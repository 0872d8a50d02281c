from django.contrib.auth.decorators import login_not_required
from django.urls import path

from operations.health import health, metrics
from operations.report import api, views

urlpatterns = [
    path("health", health.health, name="health"),
    path("healthz", health.health, name="healthz"),
    path("ready", health.ready, name="ready"),
    path("info", health.info, name="info"),
    path("metrics", metrics.metrics, name="metrics"),
    path("status", login_not_required(api.Overview.as_view()), name="overview"),
    path("operations/", views.operations, name="operations"),
    path("operations/end/", views.end_stream, name="end_stream"),
]
