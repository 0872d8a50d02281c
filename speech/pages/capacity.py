"""Capacity of the site in streams, for monitoring and `manage.py capacity`."""

from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from inference.messages import Status
from speech.gateway.link import Link


@login_not_required
@require_safe
async def status(request: HttpRequest) -> JsonResponse:
    """Open to everyone: Kyutai's servers publish the same figures, and so does this one in their protocol."""
    link = Link.current()
    return JsonResponse(
        {
            "version": settings.VERSION,
            "uptime": round((datetime.now(UTC) - settings.STARTED).total_seconds()),
            "engines": [engine_capacity(link, status) for status in await link.workers.all_engines()],
        }
    )


def engine_capacity(link: Link, engine: Status) -> dict[str, Any]:
    return {
        "name": engine.engine,
        "kind": engine.kind,
        "label": engine.label,
        "progress": engine.progress,
        "total": engine.slots,
        "used": engine.slots - engine.free,
        "free": engine.free,
        "waiting": link.waitlist.count(engine.engine),
        "processes": link.workers.process_count(engine.engine),
    }
