"""Streams that run in this process, both speech to text and text to speech: for administrators, who can end one."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import time
from typing import Protocol
from uuid import UUID

from accounts.models import User
from inference.observability.tracing import span
from speech.errors import StreamError
from speech.gateway.log_context import log_context
from speech.gateway.slot_request import requested_by
from speech.metrics import open_stream


class Job(Protocol):
    owner: User
    kind: str  # stt, tts
    began: float  # unix time
    id: UUID

    @property
    def engine_name(self) -> str:
        """ "" while it has no slot."""

    @property
    def lag(self) -> float:
        """Seconds of audio that was received and not processed yet."""

    def fail(self, error: StreamError) -> None:
        """End it with this error."""


ACTIVE: set[Job] = set()


@contextmanager
def registered(job: Job) -> Iterator[None]:
    """List the job as active, count it, and add it to the context of log lines, traces and requests for slots."""
    job.began = time()
    ACTIVE.add(job)
    try:
        with (
            log_context(user=job.owner.pk, stream=job.id),
            requested_by(account=str(job.owner.pk)),
            open_stream(job.kind),
            span("stream", stream=str(job.id), kind=job.kind, user=job.owner.pk),
        ):
            yield
    finally:
        ACTIVE.discard(job)
