"""`GET /v1/models`: the running engines."""

from typing import Any

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.credentials.principal import Caller
from accounts.scopes import ANY_SCOPE
from inference.messages import Status
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import ModelNotFound, error_response
from speech.gateway.link import Link

CREATED = 1_700_000_000
"""Creation time of every model, in Unix time: clients require one, and engines have none."""


async def _engines() -> dict[str, Status]:
    return {status.engine: status for status in await Link.current().workers.all_engines()}


@api_view(ANY_SCOPE, error_response)
@require_safe
async def models(request: HttpRequest, caller: Caller) -> JsonResponse:
    return JsonResponse(
        {"object": "list", "data": [_to_dict(status) for _, status in sorted((await _engines()).items())]}
    )


@api_view(ANY_SCOPE, error_response)
@require_safe
async def model(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    status = (await _engines()).get(name)
    if status is None:
        raise ModelNotFound("model", f"Model “{name}” not found.", "No engine with this name is running.")
    return JsonResponse(_to_dict(status))


def _to_dict(status: Status) -> dict[str, Any]:
    return {
        "id": status.engine,
        "object": "model",
        "created": CREATED,
        "owned_by": "this-site",
        # OpenAI's models don't have these; its clients ignore them.
        "name": status.label,
        "kind": status.kind,
        "languages": sorted(status.languages),
        "slots": status.slots,
        "free": status.free,
    }
