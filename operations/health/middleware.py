"""What asks whether a process lives, or what it has counted, asks it by its address, which is no name of the site."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

PROBE_PATHS = {"/health", "/healthz", "/ready", "/metrics"}


class ProbeHostMiddleware(MiddlewareMixin):
    """These are answered whatever host was asked for: they tell nothing that depends on it."""

    get_response: Callable[[HttpRequest], HttpResponse]

    def process_request(self, request: HttpRequest) -> None:
        if request.path in PROBE_PATHS:
            request.META["HTTP_HOST"] = "localhost"
