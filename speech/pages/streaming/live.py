from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.credentials.user_request import UserRequest
from inference.messages import Status, UpgradeHint
from speech.gateway.link import Link
from speech.models import Session
from speech.pages.streaming.choices import stt_engines


@require_safe
async def live(request: UserRequest) -> HttpResponse:
    engines = await Link.current().workers.engines()
    owner = await request.auser()
    config: dict[str, Any] = {
        "tickets": reverse("tickets"),
        "socket": "/ws/live/",
        "sessions": reverse("sessions"),
        "apiSessions": reverse("api_sessions"),
        "owner": owner.pk,
        "approvalStatus": reverse("approval_status"),
        "worklet": static("js/audio/capture-worklet.js"),
        "engines": stt_engines(engines),
    }
    context = {
        "config": config,
        "saves_audio": settings.RECORD_AUDIO,
        "usage": await sync_to_async(Session.objects.of(owner).usage)(),
        "upgrade": _upgrade_hint(engines),
    }
    return await sync_to_async(render)(request, "speech/live.html", context)


def _upgrade_hint(engines: dict[str, Status]) -> UpgradeHint | None:
    """A better engine that the site does not run yet."""
    hints = (status.upgrade for status in engines.values())
    return next((hint for hint in hints if hint and hint.engine not in engines), None)
