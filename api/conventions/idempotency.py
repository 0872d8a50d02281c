"""Idempotency keys: a client that lost a response can safely retry a creation.

A POST may send `Idempotency-Key: ANYTHING`. For a day, the same key with the same content returns the first response
again; with different content it is rejected.
"""

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from api.conventions.problem_details import CONTENT_TYPE, ProblemSerializer

HEADER = "Idempotency-Key"
MAX_LENGTH = 200  # characters
RESPONSE_TTL = 24 * 3600  # seconds
IN_PROGRESS_TTL = 60  # seconds
PARAMETER = OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description="Makes the creation safe to retry")
"""The header in the schema of an idempotent view."""
IN_PROGRESS = "The first request with this key is still in progress"

StoredResponse = tuple[str, int, Any]
"""Digest of the content sent with a key, and status and body of the response; status 0: in progress."""
Create = Callable[..., Response]


class KeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key was already used with a different request. Use a new key."


class RequestInProgress(APIException):
    status_code = 409
    default_code = "still_at_work"
    default_detail = "A request with this Idempotency-Key is still in progress. Retry in a second."


class KeyTooLong(APIException):
    status_code = 400
    default_code = "idempotency_key_too_long"
    default_detail = f"Idempotency-Key is limited to {MAX_LENGTH} characters."


def responses_of(created: type[BaseSerializer], conflict: str = IN_PROGRESS) -> dict[Any, Any]:
    """Responses of an idempotent view, for the schema. `conflict`: when it answers with status 409."""
    return {
        201: created,
        (409, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, conflict),
        (422, CONTENT_TYPE): OpenApiResponse(ProblemSerializer, "The key was used with a different request"),
    }


def idempotent(create: Create) -> Create:
    """Make a view's `post` method idempotent."""

    @wraps(create)
    def post(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key:
            return create(view, request, *args, **kwargs)
        if len(key) > MAX_LENGTH:
            raise KeyTooLong
        content = sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()
        name = f"idempotency-{sha256(f'{request.user.pk} {request.path} {key}'.encode()).hexdigest()}"
        if not cache.add(name, (content, 0, None), IN_PROGRESS_TTL):
            return _replay(cache.get(name), content)
        try:
            response = create(view, request, *args, **kwargs)
        except BaseException:
            cache.delete(name)
            raise
        cache.set(name, (content, response.status_code, response.data), RESPONSE_TTL)
        return response

    return post


def _replay(stored: StoredResponse | None, content: str) -> Response:
    if stored is None or not stored[1]:
        raise RequestInProgress
    if stored[0] != content:
        raise KeyReused
    return Response(stored[2], status=stored[1], headers={"Idempotent-Replayed": "true"})
