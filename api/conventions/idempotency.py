"""Idempotency keys: a creation that is asked for twice, because an answer was lost, happens once.

`Idempotency-Key: ANYTHING` with a POST; the same key with the same content gets the first answer again for a day, and
with another content is refused.
"""

import json
from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

from django.core.cache import cache
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

HEADER = "Idempotency-Key"
MAX_LENGTH = 200  # characters
KEPT_FOR = 24 * 3600  # seconds
IN_PROGRESS_FOR = 60  # seconds
PARAMETER = OpenApiParameter(HEADER, str, OpenApiParameter.HEADER, description="Creates at most once")
"""For the schema of a view that has one."""

StoredResponse = tuple[str, int, Any]
"""The content that came with a key, and the status and body of the answer; status 0: it is at work."""
Create = Callable[..., Response]


class KeyReused(APIException):
    status_code = 422
    default_code = "idempotency_key_reused"
    default_detail = "This Idempotency-Key came before with another content. Make a new key for each thing."


class RequestInProgress(APIException):
    status_code = 409
    default_code = "still_at_work"
    default_detail = "The request with this Idempotency-Key is not done yet. Ask again in a second."


class KeyTooLong(APIException):
    status_code = 400
    default_code = "idempotency_key_too_long"
    default_detail = f"An Idempotency-Key has {MAX_LENGTH} characters at most."


def idempotent(create: Create) -> Create:
    """Of a view's `post`, which creates something."""

    @wraps(create)
    def post(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = request.headers.get(HEADER, "")
        if not key:
            return create(view, request, *args, **kwargs)
        if len(key) > MAX_LENGTH:
            raise KeyTooLong
        content = sha256(json.dumps(request.data, sort_keys=True, default=str).encode()).hexdigest()
        name = f"idempotency-{sha256(f'{request.user.pk} {request.path} {key}'.encode()).hexdigest()}"
        if not cache.add(name, (content, 0, None), IN_PROGRESS_FOR):
            return _replay(cache.get(name), content)
        try:
            response = create(view, request, *args, **kwargs)
        except BaseException:
            cache.delete(name)
            raise
        cache.set(name, (content, response.status_code, response.data), KEPT_FOR)
        return response

    return post


def _replay(known: StoredResponse | None, content: str) -> Response:
    if known is None or not known[1]:
        raise RequestInProgress
    if known[0] != content:
        raise KeyReused
    return Response(known[2], status=known[1], headers={"Idempotent-Replayed": "true"})
