"""Health endpoints for load balancers, containers and operators: liveness, readiness and version of this process."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from operations.health.readiness import OK, checks, statuses, warnings

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
    """Liveness: the process responds. It checks no dependency: a restart would not bring back a lost database."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return JsonResponse({"status": "healthy", "websocket_available": True, "timestamp": now, "service": SERVICE})


@login_not_required
@require_safe
async def ready(request: HttpRequest) -> JsonResponse:
    """Readiness: a new stream would be transcribed and stored. Otherwise 503, with the failed checks. `warnings` are
    what an operator should act on; the site is ready all the same."""
    results = await checks()
    is_ready = all(result == OK for result in results.values())
    body: dict[str, Any] = {"status": "ready" if is_ready else "not ready", "checks": results}
    if found := warnings():
        body["warnings"] = found
    return JsonResponse(body, status=200 if is_ready else 503)


@login_not_required
@require_safe
async def info(request: HttpRequest) -> JsonResponse:
    models = [
        {"name": status.engine, "kind": status.kind, "label": status.label, "languages": sorted(status.languages)}
        for status in await statuses()
    ]
    about = {"service": SERVICE, "name": settings.SITE_NAME, "version": settings.VERSION, "build": settings.BUILD}
    return JsonResponse({**about, "models": models, "endpoints": ENDPOINTS})
