"""ETags: an answer that is known already is not sent again (304), and what somebody else has changed meanwhile is not
overwritten (412)."""

import json
from hashlib import sha256
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response


class ChangedMeanwhile(APIException):
    status_code = 412
    default_code = "changed_meanwhile"
    default_detail = "It was changed since you read it. Read it again, and then decide."


def etag_of(representation: Any) -> str:
    told = json.dumps(representation, sort_keys=True, default=str)
    return f'"{sha256(told.encode()).hexdigest()[:32]}"'


class ETagMixin:
    """A view of one thing, that has `get_serializer` and `get_object`."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if request.method in ("GET", "HEAD", "PATCH", "PUT") and response.status_code == 200 and response.data:
            tag = etag_of(response.data)
            response["ETag"] = tag
            if request.method in ("GET", "HEAD") and _names(request.headers.get("If-None-Match", ""), tag):
                response.status_code, response.data = 304, None
        return response

    def require_unchanged(self, request: Request, representation: Any) -> None:
        """Raises `ChangedMeanwhile` where `If-Match` names an older state."""
        expected = request.headers.get("If-Match", "")
        if expected and not _names(expected, etag_of(representation)):
            raise ChangedMeanwhile


def _names(header: str, tag: str) -> bool:
    named = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in named or tag in named
