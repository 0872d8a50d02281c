"""The Upload page: choose recordings and watch their progress."""

from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from speech.gateway.link import Link
from speech.uploads.service import MEGABYTE


@require_safe
async def uploads(request: HttpRequest) -> HttpResponse:
    engines = await Link.current().workers.engines()
    config: dict[str, Any] = {
        "uploads": reverse("api_uploads"),
        "sessions": reverse("sessions"),
        "maxSize": settings.UPLOAD_MAX_MB * MEGABYTE,
        "engines": [
            {"name": name, "label": status.label, "languages": list(status.languages.items())}
            for name, status in sorted(engines.items())
        ],
    }
    context = {
        "config": config,
        "max_mb": settings.UPLOAD_MAX_MB,
        "max_hours": settings.UPLOAD_MAX_HOURS,
        "saves_audio": settings.RECORD_AUDIO,
    }
    return await sync_to_async(render)(request, "speech/uploads/page.html", context)
