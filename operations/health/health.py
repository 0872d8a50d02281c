"""For load balancers, containers and people: whether this process lives, can take a stream, and what it is."""

from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from operations.health.readiness import OK, checks, statuses

SERVICE = "dsm-speech"
ENDPOINTS = {
    "live transcription": "/ws/pcm",
    "kyutai": "/api/asr-streaming",
    "openai": "/v1/audio/transcriptions",
    "deepgram": "/v1/listen",
    "rest": "/api/v1/schema/",
    "asyncapi": "/api/asyncapi.json",
    "metrics": "/metrics",
}


@login_not_required
@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """The process answers. It asks nobody else: to restart it because its database is away would help nobody."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return JsonResponse({"status": "healthy", "websocket_available": True, "timestamp": now, "service": SERVICE})


@login_not_required
@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """A stream that comes now is heard and stored; else 503, and why not."""
    found = await checks()
    is_ready = all(answer == OK for answer in found.values())
    told = {"status": "ready" if is_ready else "not ready", "checks": found}
    return JsonResponse(told, status=200 if is_ready else 503)


@login_not_required
@require_safe
async def info(request: HttpRequest) -> JsonResponse:
    models = [
        {"name": each.engine, "kind": each.kind, "label": each.label, "languages": sorted(each.languages)}
        for each in await statuses()
    ]
    about = {"service": SERVICE, "name": settings.SITE_NAME, "version": settings.VERSION, "build": settings.BUILD}
    return JsonResponse({**about, "models": models, "endpoints": ENDPOINTS})
