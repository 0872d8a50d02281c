"""The view that all of `/api/v1/` begins from."""

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials.drf import HasScope, IsApproved
from accounts.credentials.throttling import ApiThrottle
from api.conventions.pagination import Pagination
from api.conventions.problem_details import problem_of


class ApiView:
    """Mixed into a view. `scope`: what a token must have; None: any token will do."""

    scope: str | None = None
    pagination_class: type[Pagination] | None = Pagination
    rate: ApiThrottle | None = None

    def get_permissions(self) -> list[Any]:
        return [HasScope() if self.scope else IsApproved()]

    def get_throttles(self) -> list[Any]:
        self.rate = ApiThrottle()
        return [self.rate]

    def get_exception_handler(self) -> Any:
        return problem_of

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        for name, value in (self.rate.headers if self.rate else {}).items():
            response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]


class NotFound(ApiView, APIView):
    """Where there is nothing."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        raise Http404
