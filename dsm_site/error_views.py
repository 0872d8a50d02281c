"""Pages for server errors. Their templates don't use the database."""

import sys

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from speech.gateway.transient_errors import RETRY_AFTER, TRANSIENT_ERRORS


def server_error(request: HttpRequest) -> HttpResponse:
    if isinstance(sys.exception(), TRANSIENT_ERRORS):
        page = render_to_string("503.html")
        return HttpResponse(page, status=503, headers={"Retry-After": str(RETRY_AFTER)})
    return HttpResponse(render_to_string("500.html"), status=500)
