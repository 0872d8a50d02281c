"""The OpenAPI document: what drf-spectacular derives from the views, plus the error responses they share."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from api.conventions.problem_details import CONTENT_TYPE, ProblemSerializer

COMMON_ERRORS = {
    400: "Invalid request",
    401: "Missing or invalid token",
    403: "Not permitted",
    429: "Too many requests",
}
PREFIX = "/api/v1/"


class Schema(AutoSchema):
    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"token": []}]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, description in {**COMMON_ERRORS, **self._specific_errors()}.items():
            response = OpenApiResponse(ProblemSerializer, description)
            bodies.setdefault(str(status), self._get_response_for_code(response, str(status), [CONTENT_TYPE]))  # type: ignore[no-untyped-call]
        return bodies

    def _specific_errors(self) -> dict[int, str]:
        errors = {}
        if "{" in self.path:
            errors[404] = "Not found"
        if self.method in ("PATCH", "PUT", "DELETE"):
            errors |= {409: "Conflicts with the current state", 412: "Changed since you last read it"}
        if self.method in ("POST", "PATCH", "PUT"):
            errors[415] = "Send JSON"
        if self._is_list_view():
            errors[404] = "Page not found"
        return errors


def only_this_api(endpoints: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX) and endpoint[0] != PREFIX]


def with_token(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    scheme = {"type": "http", "scheme": "bearer", "description": "API token from Your account > Tokens."}
    result.setdefault("components", {})["securitySchemes"] = {"token": scheme}
    return result
