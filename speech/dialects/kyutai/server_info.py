"""Public information as of Kyutai's server: build, engines and slots."""

import platform

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from speech.gateway.link import Link


@login_not_required
@require_safe
def build_info(request: HttpRequest) -> JsonResponse:
    """Health check of Kyutai's clients. This server isn't compiled, so only its start time is known."""
    triple = f"{platform.machine()}-{platform.system().lower()}"
    return JsonResponse(
        {
            "build_timestamp": settings.STARTED.isoformat(),
            "build_date": settings.STARTED.date().isoformat(),
            "git_branch": "",
            "git_timestamp": "",
            "git_date": "",
            "git_hash": "",
            "git_describe": "",
            "rustc_host_triple": triple,
            "rustc_version": "",
            "cargo_target_triple": triple,
        }
    )


@login_not_required
@require_safe
async def modules_info(request: HttpRequest) -> JsonResponse:
    link = Link.current()
    modules = [
        {
            "type": "batched_asr",
            "path": "/api/asr-streaming",
            "lm": name,
            "audio_tokenizer": "",
            "used_slots": str(status.slots - status.free),
            "total_slots": str(status.slots),
        }
        for name, status in sorted((await link.workers.engines("stt")).items())
    ]
    modules += [
        {
            "type": "py",
            "path": "/api/tts_streaming",
            "script": name,
            "used_slots": str(status.slots - status.free),
            "total_slots": str(status.slots),
        }
        for name, status in sorted((await link.workers.engines("tts")).items())
    ]
    return JsonResponse(modules, safe=False)


@csrf_exempt
@login_not_required
def no_voice_cloning(request: HttpRequest) -> HttpResponse:
    what = "This server can't create a voice from a recording: the model's voice encoder was not released."
    return HttpResponse(f"{what} Choose one of its voices by name.", status=501, content_type="text/plain")
