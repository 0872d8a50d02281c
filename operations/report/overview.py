"""All that whoever runs the site wants to see at a glance, gathered from its processes and its stores."""

import shutil
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from inference.messages import LoggedError, Status
from operations.health.readiness import checks, statuses
from operations.report.process_report import ProcessReport, processes
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.models import Session, Upload
from speech.pages.capacity import engine_capacity
from webhooks.models import Delivery

MAX_ERRORS = 50


async def overview() -> dict[str, Any]:
    web = await processes()
    link = Link.current()
    return {
        "version": settings.VERSION,
        "build": settings.BUILD,
        "started": settings.STARTED,
        "checks": await checks(),
        "engines": [engine_capacity(link, status) for status in await statuses()],
        "processes": [*map(_web, web), *map(_inference, link.workers())],
        "streams": [_stream(process, stream) for process in web for stream in process.running],
        "disk": _disk(),
        "kept": await in_database(_kept),
        "faults": _recent_errors(web, link),
    }


def _web(process: ProcessReport) -> dict[str, Any]:
    return {
        "name": process.name,
        "does": "web",
        "since": _at(process.began),
        "streams": process.streams,
        "slots": None,
        "memory_mb": round(process.memory_mb),
        "progress": f"version {process.version}, {process.tasks} tasks",
    }


def _inference(status: Status) -> dict[str, Any]:
    return {
        "name": status.process,
        "does": status.label,
        "since": None,
        "streams": status.slots - status.free,
        "slots": status.slots,
        "memory_mb": None,
        "progress": status.progress,
    }


def _stream(process: ProcessReport, stream: Any) -> dict[str, Any]:
    return {
        "id": stream.id,
        "kind": stream.kind,
        "owner": stream.owner,
        "engine": stream.engine,
        "lag": stream.lag,
        "since": _at(stream.began),
        "process": process.name,
    }


def _disk() -> dict[str, Any]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return {"free_bytes": usage.free, "total_bytes": usage.total, "free_percent": round(100 * usage.free / usage.total)}


def _kept() -> dict[str, Any]:
    return {
        "sessions": Session.objects.filter(deleted_at=None).count(),
        "uploads_waiting": Upload.objects.unfinished().count(),
        "webhooks_waiting": Delivery.objects.pending().count(),
        "webhooks_failed": Delivery.objects.exclude(failed_at=None).count(),
        "sends_email": settings.SENDS_EMAIL,
    }


def _recent_errors(web: list[ProcessReport], link: Link) -> list[dict[str, Any]]:
    """The newest first. A process that is both web and inference tells its own once."""
    by_process = link.recent_errors() | {process.name: process.recent_errors for process in web}
    found = [(fault, name) for name, faults in by_process.items() for fault in faults]
    newest = sorted(found, key=lambda each: each[0].at, reverse=True)[:MAX_ERRORS]
    return [_error(fault, name) for fault, name in newest]


def _error(fault: LoggedError, process: str) -> dict[str, Any]:
    return {
        "at": _at(fault.at),
        "class": fault.kind,
        "severity": fault.severity,
        "source": fault.source,
        "message": fault.message,
        "process": process,
    }


def _at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
