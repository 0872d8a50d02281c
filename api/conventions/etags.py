"""ETags: 304 for a representation that the client already has, 412 instead of overwriting a concurrent change."""

import json
from hashlib import sha256
from typing import Any

from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response


class ChangedSinceRead(APIException):
    status_code = 412
    default_code = "changed_meanwhile"
    default_detail = "Changed since you last read it. Read it again and retry."


def etag_of(representation: Any) -> str:
    content = json.dumps(representation, sort_keys=True, default=str)
    return f'"{sha256(content.encode()).hexdigest()[:32]}"'


class ETagMixin:
    """ETags for a view of a single object (with `get_serializer` and `get_object`)."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if request.method in ("GET", "HEAD", "PATCH", "PUT") and response.status_code == 200 and response.data:
            tag = etag_of(response.data)
            response["ETag"] = tag
            if request.method in ("GET", "HEAD") and _matches(request.headers.get("If-None-Match", ""), tag):
                response.status_code, response.data = 304, None
        return response

    def require_unchanged(self, request: Request, representation: Any) -> None:
        """Raises `ChangedSinceRead` if `If-Match` doesn't match the current representation."""
        expected = request.headers.get("If-Match", "")
        if expected and not _matches(expected, etag_of(representation)):
            raise ChangedSinceRead


def _matches(header: str, tag: str) -> bool:
    tags = [part.strip().removeprefix("W/") for part in header.split(",")]
    return "*" in tags or tag in tags
