"""`GET /v1/models`: the engines that run now."""

from typing import Any, get_args

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.credentials.principal import Caller
from inference.messages import Kind, Status
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import ModelNotFound, error_response
from speech.gateway.link import Link

CREATED = 1_700_000_000
"""Unix time. OpenAI tells when a model was made; an engine has no such time, and a client wants a number."""


async def _all() -> dict[str, Status]:
    return {name: status for kind in get_args(Kind) for name, status in (await Link.current().engines(kind)).items()}


@api_view(None, error_response)
@require_safe
async def models(request: HttpRequest, caller: Caller) -> JsonResponse:
    return JsonResponse({"object": "list", "data": [_to_dict(status) for _, status in sorted((await _all()).items())]})


@api_view(None, error_response)
@require_safe
async def model(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    status = (await _all()).get(name)
    if status is None:
        raise ModelNotFound("model", f"There is no model “{name}”.", "No engine of this name runs now.")
    return JsonResponse(_to_dict(status))


def _to_dict(status: Status) -> dict[str, Any]:
    return {
        "id": status.engine,
        "object": "model",
        "created": CREATED,
        "owned_by": "this-site",
        # What OpenAI's do not have, and its clients ignore.
        "name": status.label,
        "kind": status.kind,
        "languages": sorted(status.languages),
        "slots": status.slots,
        "free": status.free,
    }
