"""`/metrics`: what this process has counted, for Prometheus. Every process tells its own; an inference process does so
at its METRICS_PORT."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from inference.messages import Status
from operations.health.readiness import statuses
from speech.dialects.kyutai.metrics import exposition
from speech.gateway.link import Link

SLOTS = Gauge("speech_slots", "Streams that an engine can carry, in all its processes", ["engine", "state"])
WAITING = Gauge("speech_waiting", "Streams that wait for a slot, in all web processes", ["engine"])

_known: set[str] = set()
"""The engines that were there once."""


def update_engine_gauges(there: list[Status]) -> None:
    """One that is gone has no slots; a gauge that nobody sets would go on telling those that it had."""
    by_name = {status.engine: status for status in there}
    _known.update(by_name)
    for name in _known:
        slots, free = (by_name[name].slots, by_name[name].free) if name in by_name else (0, 0)
        SLOTS.labels(name, "free").set(free)
        SLOTS.labels(name, "used").set(slots - free)
        WAITING.labels(name).set(Link.current().waitlist.count(name))


@login_not_required
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """Kyutai's names first, by which dashboards of their servers know them."""
    link = Link.current()
    update_engine_gauges(await statuses())
    kyutais = exposition(await link.engines("stt"), await link.engines("tts"))
    return HttpResponse(kyutais.encode() + generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)
