"""Health probes and Prometheus address a process by IP, which is not in ALLOWED_HOSTS."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

PROBE_PATHS = {"/health", "/healthz", "/ready", "/metrics"}


class ProbeHostMiddleware(MiddlewareMixin):
    """Accept any Host header on probe paths: their responses don't depend on it."""

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_request(self, request: HttpRequest) -> None:
        if request.path in PROBE_PATHS:
            request.META["HTTP_HOST"] = "localhost"
