"""`/metrics`: this process's metrics for Prometheus. Every process exposes its own; an inference process does so at
its METRICS_PORT."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from inference.messages import Status
from operations.health.readiness import statuses
from speech import disk_space
from speech.dialects.kyutai.metrics import exposition
from speech.gateway.link import Link

SLOTS = Gauge("speech_slots", "Slots of an engine, in all its processes", ["engine", "state"])
DISK_FREE = Gauge("speech_disk_free_bytes", "Free disk space of a folder", ["folder"])
DISK_RESERVE = Gauge("speech_disk_reserve_bytes", "Disk space that uploads and recordings leave free", ["folder"])
WAITING = Gauge("speech_waiting", "Streams waiting for a slot, in all web processes", ["engine"])

_seen: set[str] = set()
"""Names of all engines that have been running since the process started."""


def update_engine_gauges(running: list[Status]) -> None:
    """Set the gauges. Engines that left are set to zero; a gauge keeps its last value otherwise."""
    by_name = {status.engine: status for status in running}
    _seen.update(by_name)
    for name in _seen:
        slots, free = (by_name[name].slots, by_name[name].free) if name in by_name else (0, 0)
        SLOTS.labels(name, "free").set(free)
        SLOTS.labels(name, "used").set(slots - free)
        WAITING.labels(name).set(Link.current().waitlist.count(name))


def update_disk_gauges() -> None:
    for name, folder in (("data", settings.DATA_DIR), ("audio", settings.AUDIO_DIR)):
        DISK_FREE.labels(name).set(disk_space.free(folder))
        DISK_RESERVE.labels(name).set(disk_space.reserve(folder))


@login_not_required
@require_safe
async def metrics(request: HttpRequest) -> HttpResponse:
    """All metrics, those with the names of Kyutai's servers first, so that dashboards made for them work."""
    link = Link.current()
    update_engine_gauges(await statuses())
    update_disk_gauges()
    kyutai_metrics = exposition(await link.workers.engines("stt"), await link.workers.engines("tts"))
    return HttpResponse(kyutai_metrics.encode() + generate_latest(REGISTRY), content_type=CONTENT_TYPE_PLAIN_0_0_4)
