"""Rate limit of the forms of pages: all that a logged-in user submits, searches included. APIs have their own."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin

from accounts.credentials.principal import RateLimited
from accounts.credentials.throttling import FormThrottle

SEARCH = "q"
"""Query parameter of all searches."""


class FormLimitMiddleware(MiddlewareMixin):
    """Must follow Django's AuthenticationMiddleware."""

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        is_api = getattr(view, "csrf_exempt", False)
        is_form = request.method == "POST" or request.GET.get(SEARCH)
        if is_api or not is_form or not request.user.is_authenticated:
            return None
        throttle = FormThrottle()
        if throttle.allow_request(request):
            return None
        return _response(request, RateLimited(throttle.num_requests, throttle.wait()))


def _response(request: HttpRequest, error: RateLimited) -> HttpResponse:
    """A page, or JSON for scripts, which keep the form open."""
    if "text/html" in request.headers.get("Accept", "text/html"):
        response = render(request, "429.html", {"error": error}, status=error.status)
    else:
        fields = {**error.to_dict(), "detail": f"{error} {error.action}"}
        response = JsonResponse(fields, status=error.status)
    response.headers["Retry-After"] = str(error.wait)
    return response
