"""The operations overview: processes, engines, streams, storage and recent errors of the whole site."""

import shutil
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import F

from inference.messages import LoggedError, Status
from operations.health.readiness import checks, statuses
from operations.report.process_report import ProcessReport, StreamReport, processes
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.llm.catalog import ModelStatus, model_statuses
from speech.models import ConversationUsage, Session, Upload
from speech.pages.capacity import engine_capacity
from webhooks.models import Delivery

MAX_ERRORS = 50
MAX_ACCOUNTS = 10  # of which the usage of language models is shown


async def overview() -> dict[str, Any]:
    web = await processes()
    link = Link.current()
    return {
        "version": settings.VERSION,
        "build": settings.BUILD,
        "started": settings.STARTED,
        "checks": await checks(),
        "engines": [engine(link, status) for status in await statuses()],
        "language_models": [_language_model(status) for status in await model_statuses()],
        "language_model_usage": await in_database(_language_model_usage),
        "processes": [*map(_web, web), *map(_inference, link.workers.statuses())],
        "streams": [_stream(process, stream) for process in web for stream in process.running],
        "disk": _disk(),
        "stored": await in_database(_stored),
        "recent_errors": _recent_errors(web, link),
    }


def engine(link: Link, status: Status) -> dict[str, Any]:
    measured = _at(status.measured_at) if status.measured_at else None
    limits = {"memory": status.slot_limits.memory, "time": status.slot_limits.time} if status.slot_limits else None
    return {**engine_capacity(link, status), "measured": measured, "slot_limits": limits}


def _language_model(status: ModelStatus) -> dict[str, Any]:
    info = status.info
    return {
        "name": info.name,
        "label": info.label,
        "server": "" if info.is_demo else urlsplit(info.url).netloc,
        "is_default": status.is_default,
        "error": status.error,
        "latency": status.latency,
        "first_token": status.first_token,
    }


def _language_model_usage() -> list[dict[str, Any]]:
    """Usage by the accounts with the most tokens, including deleted conversations."""
    by_tokens = ConversationUsage.objects.order_by((F("prompt_tokens") + F("completion_tokens")).desc(), "pk")
    return [
        {
            "owner": usage.owner.email,
            "conversations": usage.conversations,
            "replies": usage.replies,
            "played_seconds": usage.played_seconds,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
        }
        for usage in by_tokens.select_related("owner")[:MAX_ACCOUNTS]
    ]


def _web(process: ProcessReport) -> dict[str, Any]:
    return {
        "name": process.name,
        "role": "web",
        "since": _at(process.started_at),
        "streams": process.streams,
        "slots": None,
        "memory_mb": round(process.memory_mb),
        "progress": f"version {process.version}, {process.tasks} tasks",
    }


def _inference(status: Status) -> dict[str, Any]:
    return {
        "name": status.process,
        "role": status.label,
        "since": None,
        "streams": status.slots - status.free,
        "slots": status.slots,
        "memory_mb": None,
        "progress": status.progress,
    }


def _stream(process: ProcessReport, stream: StreamReport) -> dict[str, Any]:
    return {
        "id": stream.id,
        "kind": stream.kind,
        "owner": stream.owner,
        "engine": stream.engine,
        "lag": stream.lag,
        "since": _at(stream.started_at),
        "process": process.name,
    }


def _disk() -> dict[str, Any]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    return {"free_bytes": usage.free, "total_bytes": usage.total, "free_percent": round(100 * usage.free / usage.total)}


def _stored() -> dict[str, Any]:
    return {
        "sessions": Session.objects.filter(deleted_at=None).count(),
        "uploads_pending": Upload.objects.unfinished().count(),
        "webhooks_pending": Delivery.objects.pending().count(),
        "webhooks_failed": Delivery.objects.exclude(failed_at=None).count(),
        "sends_email": settings.SENDS_EMAIL,
    }


def _recent_errors(web: list[ProcessReport], link: Link) -> list[dict[str, Any]]:
    """Recent errors of all processes, newest first. A process that is both web and inference is counted once."""
    by_process = link.workers.recent_errors() | {process.name: process.recent_errors for process in web}
    errors = [(error, name) for name, logged in by_process.items() for error in logged]
    newest = sorted(errors, key=lambda pair: pair[0].at, reverse=True)[:MAX_ERRORS]
    return [_error(error, name) for error, name in newest]


def _error(error: LoggedError, process: str) -> dict[str, Any]:
    return {
        "at": _at(error.at),
        "class": error.kind,
        "severity": error.severity,
        "source": error.source,
        "message": error.message,
        "process": process,
    }


def _at(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)
