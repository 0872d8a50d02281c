"""Base class of all views under `/api/v1/`."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.scopes import ANY_SCOPE, BROWSER_ONLY
from api.conventions.pagination import Pagination
from api.conventions.problem_details import problem_response


class ApiView:
    """Mixin for views. `scope`: the scope that a token needs, or `ANY_SCOPE`."""

    scope = BROWSER_ONLY
    pagination_class: type[Pagination] | None = Pagination

    def get_exception_handler(self) -> Any:
        return problem_response

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if throttle := getattr(request, "throttle", None):
            for name, value in throttle.headers.items():
                response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


class NotFound(ApiView, APIView):
    """404 as a problem, for every URL under `/api/v1/` that has no view."""

    scope = ANY_SCOPE

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
