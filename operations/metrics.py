"""`/metrics`: what this process has counted, for Prometheus. Every process tells its own; an inference process does so
at its METRICS_PORT."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from operations.checks import statuses
from speech.dialects.kyutai.metrics import exposition
from speech.link import Link

SLOTS = Gauge("speech_slots", "Streams that an engine can carry, in all its processes", ["engine", "state"])
WAITING = Gauge("speech_waiting", "Streams that wait for a slot, in all web processes", ["engine"])


@login_not_required
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Kyutai's names first, by which dashboards of their servers know them."""
    link = Link.current()
    for status in await statuses():
        SLOTS.labels(status.engine, "free").set(status.free)
        SLOTS.labels(status.engine, "used").set(status.slots - status.free)
        WAITING.labels(status.engine).set(link.waiting.count(status.engine))
    kyutais = exposition(await link.engines("stt"), await link.engines("tts"))
    return HttpResponse(kyutais.encode() + generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)
