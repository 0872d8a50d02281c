"""A stream's request for a slot: of which engine, until when, and at which position in the queue."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings
from msgspec.structs import replace

from inference.messages import UNKNOWN_LANGUAGE, Down, Endpointing, Kind, Open, Status
from inference.observability.tracing import TRACER
from speech.errors import AtCapacity, NoEngine, ProtocolError
from speech.events import Queued, Starting
from speech.gateway.connection import Connection
from speech.gateway.link import Link
from speech.metrics import QUEUE_WAIT
from speech.text.languages import asks_for_detection, tags_of

REQUEST_TIMEOUT = 1.0
"""Seconds without an answer after which a request to a full engine fails, unless the client queues."""
GRANT_TIMEOUT = 30.0
"""Seconds in which a free slot is granted even where very many requests come at once, and a starting engine is up."""
MAX_WAIT = 600.0
RETRY_AFTER = 0.7
"""Seconds for which a slot is free and the request unanswered: it was lost with the process that had just read it."""
REASSIGN_INTERVAL = 1.0
"""Seconds until an account that still waits asks again for a slot of one that holds more."""
REASSIGN_TIMEOUT = 5.0
"""Seconds until an engine, which may be in a long step, has released a slot that another account gives up."""


class Requester(NamedTuple):
    """Who requests a slot."""

    account: str = ""
    is_program: bool = False
    """Whether it gives up its slots before people do."""
    claims_share: bool = True
    """Whether an account that holds more slots gives one up for it, if all are taken."""


_requester: ContextVar[Requester] = ContextVar("requester", default=Requester())  # noqa: B039  (immutable)


@contextmanager
def requested_by(**fields: Any) -> Iterator[None]:
    """Set fields of the `Requester` of all slots that are requested within, also in tasks started there."""
    token = _requester.set(_requester.get()._replace(**fields))
    try:
        yield
    finally:
        _requester.reset(token)


class SlotRequest:
    """Gets a stream its slot, at its beginning and whenever it has lost one.

    A stream that had a slot is served by the same engine again, in the same language, and queues for it.
    """

    def __init__(
        self,
        link: Link,
        receive: Callable[[Down], None],
        *,
        kind: Kind,
        engine: str = "",
        language: str = "",
        may_wait: bool = False,
        translates: bool = False,
    ) -> None:
        """`receive` gets `Ready` once there is a slot, and what follows. `may_wait`: queue instead of failing at
        capacity. `translates`: the engine translates into English."""
        self.kind, self.engine, self.language, self.may_wait = kind, engine, language, may_wait
        self._translates = translates
        self._link = link
        self._receive = receive
        self._target = ""
        """The engine that the pending request goes to."""
        self._open: Open | None = None
        """The pending request; None while the stream requests no slot."""
        self._connections: list[Connection] = []
        self._started_at = self._sent_at = 0.0
        self._reassigned_at = float("-inf")
        self._queue_position: Callable[[], int] | None = None
        self._reported: Queued | Starting | None = None
        self._cleanup = ExitStack()

    async def poll(
        self,
        position: int,
        *,
        voice: str = "",
        controls: Mapping[str, float] | None = None,
        endpointing: Endpointing | None = None,
        low_latency: bool = False,
        awaits_turns: bool = False,
    ) -> Queued | Starting | None:
        """Request a slot that begins at sample `position`, or check on the pending request.

        Returns the queue position or the engine's startup progress, if it has changed. Raises `NoEngine`, `AtCapacity`,
        and `ProtocolError` if no engine fits.
        """
        if self._open is None:
            request = Open(
                "",
                "",
                0.0,
                position,
                "",
                voice,
                dict(controls or {}),
                endpointing,
                low_latency=low_latency,
                awaits_turns=awaits_turns,
            )
            await self._start(request)
        else:
            await self._retry_if_lost()
        self._claim_share()
        state = self._state()
        changed, self._reported = state if state != self._reported else None, state
        return changed

    def claim(self) -> Connection | None:
        """Return the connection that got a slot, if one did, and withdraw all other requests."""
        granted = next((connection for connection in self._connections if connection.worker), None)
        if granted is None or self._open is None:
            return None
        QUEUE_WAIT.labels(self.kind).observe(time.monotonic() - self._started_at)
        self._connections.remove(granted)
        self.engine, self.language, self.may_wait = self._target, self._open.language, True
        self.close()
        return granted

    def close(self) -> None:
        """Withdraw the request."""
        self._cleanup.close()
        for connection in self._connections:
            connection.close()
        self._connections = []
        self._open = self._queue_position = self._reported = None

    async def _start(self, request: Open) -> None:
        status = choose(await self._link.workers.engines(self.kind), self.engine, self.language, self._translates)
        language = _language_code(self.language, status) or next(iter(status.languages))
        deadline = time.time() + (MAX_WAIT if self.may_wait else GRANT_TIMEOUT)
        self._started_at = time.monotonic()
        self._target = status.engine
        account, is_program, _ = _requester.get()
        self._open = replace(
            request,
            language=language,
            deadline=deadline,
            account=account,
            is_program=is_program,
            translates=self._translates,
        )
        span = TRACER.start_span("wait for a slot", attributes={"engine": self._target, "kind": self.kind})
        self._cleanup.callback(span.end)
        try:
            await self._send(self._open)
        except BaseException:
            self.close()
            raise
        if self.may_wait:
            entry = self._cleanup.enter_context(self._link.waitlist.join(self._target))
            self._queue_position = partial(self._link.waitlist.position, entry)

    async def _send(self, request: Open) -> None:
        self._sent_at = time.monotonic()
        self._connections.append(await self._link.request_slot(self._target, request, self._receive))

    async def _retry_if_lost(self) -> None:
        """The earlier request stays valid: if it is in the queue after all, it keeps its position there."""
        unanswered = time.monotonic() - self._sent_at
        if self._open and min(unanswered, self._link.workers.seconds_with_free_slots(self._target)) > RETRY_AFTER:
            self._open = replace(self._open, deadline=max(self._open.deadline, time.time() + REQUEST_TIMEOUT))
            await self._send(self._open)

    def _claim_share(self) -> None:
        """Have an account that holds more slots give one up, if all are taken."""
        account, _, claims_share = _requester.get()
        is_due = time.monotonic() - self._reassigned_at > REASSIGN_INTERVAL
        if claims_share and is_due and (found := self._link.workers.reassignment(self._target, account)):
            worker, message = found
            self._link.outbox.put(worker, ("", 0, message))
            self._reassigned_at = time.monotonic()

    def _state(self) -> Queued | Starting | None:
        """The reason why there is no slot yet; None if an answer may come at once."""
        progress = self._link.workers.startup_progress(self._target)
        if self._open and time.time() > self._open.deadline:
            raise AtCapacity if progress is None else NoEngine(why=_starting(progress))
        if progress is not None:
            return Starting(progress)
        if self._queue_position:
            return Queued(self._queue_position())
        timeout = REQUEST_TIMEOUT if self._reassigned_at < self._started_at else REASSIGN_TIMEOUT
        if min(time.monotonic() - self._started_at, self._link.workers.seconds_full(self._target)) > timeout:
            raise AtCapacity
        return None


def choose(available: dict[str, Status], engine: str, language: str, translates: bool = False) -> Status:
    """The requested engine. By default, of the engines that support the language and have free slots, the one that
    comes first in the settings.

    Raises `NoEngine` if no engine runs, and `ProtocolError` if none has the name, supports the language, or translates.
    """
    if not available:
        raise NoEngine
    named = [status for name, status in available.items() if engine in ("", name)]
    if not named:
        raise ProtocolError(f"Engine “{engine}” not found.", f"Available engines: {', '.join(available)}.")
    if translates:
        named = [status for status in named if status.translates]
        if not named:
            names = (
                ", ".join(name for name, status in available.items() if status.translates) or "none of those running"
            )
            raise ProtocolError("The engine can't translate.", f"Engines that translate into English: {names}.")
    able = [status for status in named if not language or _language_code(language, status)]
    if not able and asks_for_detection(language):
        able = named  # each has only one language, or the first is a better guess than none
    if not able:
        supported = sorted({code for status in named for code in status.languages})
        raise ProtocolError(
            f"No engine supports the language “{language}”.", f"Supported languages: {', '.join(supported)}."
        )
    return max(able, key=lambda status: (status.free > 0, -_rank(status.engine), status.free))


def _rank(engine: str) -> int:
    configured = [*settings.STT_ENGINE, *settings.TTS_ENGINE]
    return configured.index(engine) if engine in configured else len(configured)


def _starting(progress: str) -> str:
    return f"The engine is starting: {progress}." if progress else "The engine is starting."


def _language_code(language: str, status: Status) -> str:
    """The engine's own code of the language: “en” for “en_GB” if it has no variants. Empty: not supported."""
    codes = {code.lower(): code for code in status.languages}
    tags = [UNKNOWN_LANGUAGE] if asks_for_detection(language) else tags_of(language)
    return next((codes[tag] for tag in tags if tag in codes), "")
