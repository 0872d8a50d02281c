"""Base class of all views under `/api/v1/`."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.drf import HasScope, IsApproved
from accounts.credentials.principal import Caller
from accounts.credentials.throttling import AccountThrottle, ApiThrottle, BrowserThrottle
from api.conventions.pagination import Pagination
from api.conventions.problem_details import problem_response


class ApiView:
    """Mixin for views. `scope`: the scope a token needs; None: any valid token."""

    scope: str | None = None
    pagination_class: type[Pagination] | None = Pagination
    rate: AccountThrottle | None = None

    def get_permissions(self) -> list[Any]:
        return [HasScope() if self.scope else IsApproved()]

    def get_throttles(self) -> list[Any]:
        is_program = isinstance(self.request.auth, Caller)  # type: ignore[attr-defined]
        self.rate = ApiThrottle() if is_program else BrowserThrottle()
        return [self.rate]

    def get_exception_handler(self) -> Any:
        return problem_response

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


class NotFound(ApiView, APIView):
    """404 as a problem, for every URL under `/api/v1/` that has no view."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
