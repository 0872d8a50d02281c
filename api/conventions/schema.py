"""The OpenAPI document: what drf-spectacular sees in the views, with the answers that all of them may give."""

from collections.abc import Sequence
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from api.conventions.problem_details import CONTENT_TYPE, ProblemSerializer

ALWAYS = {401: "Nobody, or a token that does not hold", 403: "Somebody who may not", 429: "Too many requests"}
PREFIX = "/api/v1/"


class Schema(AutoSchema):
    def get_auth(self) -> list[dict[str, list[str]]]:
        return [{"token": []}]

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status, description in {**ALWAYS, **self._particular()}.items():
            response = OpenApiResponse(ProblemSerializer, description)
            bodies.setdefault(str(status), self._get_response_for_code(response, str(status), [CONTENT_TYPE]))  # type: ignore[no-untyped-call]
        return bodies

    def _particular(self) -> dict[int, str]:
        told = {}
        if "{" in self.path:
            told[404] = "There is nothing of yours here"
        if self.method in ("POST", "PATCH", "PUT") or self._is_list_view():
            told[400] = "What was sent is not valid"
        if self.method in ("PATCH", "PUT", "DELETE"):
            told |= {409: "Not in its present state", 412: "It was changed since you read it"}
        if self.method in ("POST", "PATCH", "PUT"):
            told[415] = "JSON is what is taken"
        if self._is_list_view():
            told[404] = "There is no such page"
        return told


def only_this_api(endpoints: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PREFIX) and endpoint[0] != PREFIX]


def with_token(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    how = {"type": "http", "scheme": "bearer", "description": "A token: Your account, Tokens."}
    result.setdefault("components", {})["securitySchemes"] = {"token": how}
    return result
