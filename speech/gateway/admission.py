"""A stream's request for a slot: at which engine, until when, and from which place in the queue."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Self

from django.conf import settings

from inference.messages import Down, Kind, Status
from inference.observability.tracing import TRACER
from speech.errors import AtCapacity, NoEngine, ProtocolError
from speech.events import Queued, Starting
from speech.gateway.connection import Connection
from speech.gateway.link import Link
from speech.metrics import QUEUE_WAIT

REQUEST_TIMEOUT = 1.0
"""Seconds after which a request at a full engine is given up."""
GRANT_TIMEOUT = 30.0
"""Seconds in which a free slot is given even where very many come at once, and in which a starting engine is up."""
MAX_WAIT = 600.0
RETRY_AFTER = 0.7
"""Seconds for which a slot is free and the request unanswered: then it died with whoever had just read it."""


class Admission:
    def __init__(
        self, link: Link, engine: Status, language: str, position: int, deadline: float, wishes: dict[str, Any]
    ) -> None:
        self.engine = engine
        self.language = language
        self._link = link
        self._position = position
        self._deadline = deadline
        self._options = wishes
        self._requests: list[Connection] = []
        self._began = time.monotonic()
        self._requested_at = 0.0
        self._queue_position: Callable[[], int] | None = None
        self._leave_queue = ExitStack()
        self._reported: Queued | Starting | None = None
        self._span = TRACER.start_span("wait for a slot", attributes={"engine": engine.engine, "kind": engine.kind})

    @classmethod
    async def request(
        cls,
        link: Link,
        engine: str,
        language: str,
        *,
        position: int,
        may_wait: bool,
        receive: Callable[[Down], None],
        kind: Kind = "stt",
        **wishes: Any,
    ) -> Self:
        """Ask for a slot in which to begin at sample `position`; `receive` gets `Ready` once there is one. `wishes` are
        other fields of `Open`.

        Raises `NoEngine`, `AtCapacity` if even the queue is full, and `ProtocolError` if nobody has the engine or
        knows the language.
        """
        chosen = choose(await link.engines(kind), engine, language)
        language = _language_code(language, chosen) or next(iter(chosen.languages))
        deadline = time.time() + (MAX_WAIT if may_wait else GRANT_TIMEOUT)
        admission = cls(link, chosen, language, position, deadline, wishes)
        await admission._send_request(receive)
        if may_wait:
            seat = admission._leave_queue.enter_context(link.waitlist.join(chosen.engine))
            admission._queue_position = partial(link.waitlist.position, seat)
        return admission

    async def _send_request(self, receive: Callable[[Down], None]) -> None:
        self._requested_at = time.monotonic()
        request = await self._link.request_slot(
            self.engine.engine, self._position, self.language, self._deadline, receive, **self._options
        )
        self._requests.append(request)

    async def retry_if_lost(self, receive: Callable[[Down], None]) -> None:
        """The earlier request stays: if it waits in the queue after all, it keeps its place there."""
        unanswered = time.monotonic() - self._requested_at
        if min(unanswered, self._link.seconds_with_free_slots(self.engine.engine)) > RETRY_AFTER:
            self._deadline = max(self._deadline, time.time() + REQUEST_TIMEOUT)
            await self._send_request(receive)

    def poll(self) -> Queued | Starting | None:
        """What has changed for who waits: the place in the queue, 1 is next, or what the engine does before it is up.

        Raises `AtCapacity` if no answer came in time, or `NoEngine` if the engine did not come up.
        """
        now = self._state()
        news, self._reported = now if now != self._reported else None, now
        return news

    def _state(self) -> Queued | Starting | None:
        """None: an answer may come at once."""
        engine = self.engine.engine
        starting = self._link.startup_progress(engine)
        if time.time() > self._deadline:
            raise AtCapacity if starting is None else NoEngine(why=_still(starting))
        if starting is not None:
            return Starting(starting)
        if self._queue_position:
            return Queued(self._queue_position())
        if min(time.monotonic() - self._began, self._link.seconds_full(engine)) > REQUEST_TIMEOUT:
            raise AtCapacity
        return None

    def claim(self) -> Connection | None:
        """The connection that got a slot; all other requests are withdrawn."""
        granted = next((request for request in self._requests if request.worker), None)
        if granted is None:
            return None
        QUEUE_WAIT.labels(self.engine.kind).observe(time.monotonic() - self._began)
        self._requests.remove(granted)
        self.close()
        return granted

    def close(self) -> None:
        self._leave_queue.close()
        self._span.end()
        for request in self._requests:
            request.close()
        self._requests = []


def choose(there: dict[str, Status], engine: str, language: str) -> Status:
    """The engine asked for or, by default, of those that know the language and have free slots the one that is named
    first in the settings.

    Raises `NoEngine` if there is none at all, and `ProtocolError` if nobody has it or knows the language.
    """
    if not there:
        raise NoEngine
    known = [status for name, status in there.items() if engine in ("", name)]
    if not known:
        raise ProtocolError(f"There is no engine “{engine}”.", f"Running are: {', '.join(there)}.")
    able = [status for status in known if not language or _language_code(language, status)]
    if not able:
        spoken = sorted({code for status in known for code in status.languages})
        raise ProtocolError(f"No engine knows the language “{language}”.", f"They know: {', '.join(spoken)}.")
    return max(able, key=lambda status: (status.free > 0, -_rank(status.engine), status.free))


def _rank(engine: str) -> int:
    configured = [*settings.STT_ENGINE, *settings.TTS_ENGINE]
    return configured.index(engine) if engine in configured else len(configured)


def _still(note: str) -> str:
    return f"It is being started: {note}." if note else "It is being started."


def _language_code(language: str, status: Status) -> str:
    """The engine's own code for it: “en” where “en-GB” is asked for and no such difference is made. Empty: unknown."""
    return next((code for code in (language, language.partition("-")[0]) if code in status.languages), "")
