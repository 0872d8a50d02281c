"""`GET /v1/models`: the running engines."""

from typing import Any, get_args

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from accounts.credentials.principal import Caller
from accounts.scopes import ANY_SCOPE
from inference.messages import Kind, Status
from speech.dialects.api_view import api_view
from speech.dialects.deepgram import models as deepgram
from speech.dialects.openai.errors import ModelNotFound, error_response
from speech.dialects.openai.model_aliases import MODEL_ALIASES, closest, is_alias
from speech.gateway.link import Link
from speech.gateway.slot_request import choose

CREATED = 1_700_000_000
"""Creation time of every model, in Unix time: clients require one, and engines have none."""


async def _engines() -> dict[str, Status]:
    return {status.engine: status for status in await Link.current().workers.all_engines()}


async def _deepgrams_engines() -> list[Status]:
    """With the voices of those that synthesize."""
    workers = Link.current().workers
    return [*(await workers.engines("stt")).values(), *(await workers.tts_engines()).values()]


@api_view(ANY_SCOPE, error_response)
@require_safe
async def models(request: HttpRequest, caller: Caller) -> JsonResponse:
    if deepgram.is_deepgrams(request):
        return JsonResponse(deepgram.models(await _deepgrams_engines()))
    return JsonResponse(
        {"object": "list", "data": [_to_dict(status) for _, status in sorted((await _engines()).items())]}
    )


@api_view(ANY_SCOPE, error_response)
@require_safe
async def model(request: HttpRequest, caller: Caller, name: str) -> JsonResponse:
    if deepgram.is_deepgrams(request) and (found := deepgram.model(await _deepgrams_engines(), name)):
        return JsonResponse(found)
    status = (await _engines()).get(name) or await _aliased(name)
    if status is None:
        raise ModelNotFound("model", f"Model “{name}” not found.", "No engine with this name is running.")
    return JsonResponse({**_to_dict(status), "id": name})


async def _aliased(name: str) -> Status | None:
    """The engine that a request for this model gets. Raises `NoEngine` if there is none."""
    for kind in get_args(Kind):
        if kind in MODEL_ALIASES and is_alias(name, kind):
            engines = await Link.current().workers.engines(kind)
            return choose(engines, closest(name, list(engines)), "")
    return None


@api_view(ANY_SCOPE, error_response)
@require_safe
async def speech_models(request: HttpRequest, caller: Caller) -> JsonResponse:
    """`GET /v1/audio/models`, as speaches has it; Open WebUI offers these models for speech."""
    engines = await Link.current().workers.engines("tts")
    data = [_to_dict(status) for _, status in sorted(engines.items())]
    return JsonResponse({"object": "list", "data": data, "models": data})


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
