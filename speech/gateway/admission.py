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

ANSWER_WITHIN = 1.0
"""Seconds after which a request at a full engine is given up."""
SERVED_WITHIN = 30.0
"""Seconds in which a free slot is given even where very many come at once, and in which a starting engine is up."""
WAIT_AT_MOST = 600.0
OVERLOOKED_AFTER = 0.7
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
        self._wishes = wishes
        self._requests: list[Connection] = []
        self._began = time.monotonic()
        self._asked_at = 0.0
        self._place: Callable[[], int] | None = None
        self._leave_queue = ExitStack()
        self._told: Queued | Starting | None = None
        self._span = TRACER.start_span("wait for a slot", attributes={"engine": engine.engine, "kind": engine.kind})

    @classmethod
    async def ask(
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
        language = _known_as(language, chosen) or next(iter(chosen.languages))
        deadline = time.time() + (WAIT_AT_MOST if may_wait else SERVED_WITHIN)
        admission = cls(link, chosen, language, position, deadline, wishes)
        await admission._ask(receive)
        if may_wait:
            seat = admission._leave_queue.enter_context(link.waiting.seat(chosen.engine))
            admission._place = partial(link.waiting.place, seat)
        return admission

    async def _ask(self, receive: Callable[[Down], None]) -> None:
        self._asked_at = time.monotonic()
        request = await self._link.ask(
            self.engine.engine, self._position, self.language, self._deadline, receive, **self._wishes
        )
        self._requests.append(request)

    async def ask_again_if_overlooked(self, receive: Callable[[Down], None]) -> None:
        """The earlier request stays: if it waits in the queue after all, it keeps its place there."""
        unanswered = time.monotonic() - self._asked_at
        if min(unanswered, self._link.has_had_free_slots_for(self.engine.engine)) > OVERLOOKED_AFTER:
            self._deadline = max(self._deadline, time.time() + ANSWER_WITHIN)
            await self._ask(receive)

    def news(self) -> Queued | Starting | None:
        """What has changed for who waits: the place in the queue, 1 is next, or what the engine does before it is up.

        Raises `AtCapacity` if no answer came in time, or `NoEngine` if the engine did not come up.
        """
        now = self._standing()
        news, self._told = now if now != self._told else None, now
        return news

    def _standing(self) -> Queued | Starting | None:
        """None: an answer may come at once."""
        engine = self.engine.engine
        starting = self._link.starting(engine)
        if time.time() > self._deadline:
            raise AtCapacity if starting is None else NoEngine(why=_still(starting))
        if starting is not None:
            return Starting(starting)
        if self._place:
            return Queued(self._place())
        if min(time.monotonic() - self._began, self._link.has_been_full_for(engine)) > ANSWER_WITHIN:
            raise AtCapacity
        return None

    def take(self) -> Connection | None:
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
    able = [status for status in known if not language or _known_as(language, status)]
    if not able:
        spoken = sorted({code for status in known for code in status.languages})
        raise ProtocolError(f"No engine knows the language “{language}”.", f"They know: {', '.join(spoken)}.")
    return max(able, key=lambda status: (status.free > 0, -_rank(status.engine), status.free))


def _rank(engine: str) -> int:
    configured = [*settings.STT_ENGINE, *settings.TTS_ENGINE]
    return configured.index(engine) if engine in configured else len(configured)


def _still(note: str) -> str:
    return f"It is being started: {note}." if note else "It is being started."


def _known_as(language: str, status: Status) -> str:
    """The engine's own code for it: “en” where “en-GB” is asked for and no such difference is made. Empty: unknown."""
    return next((code for code in (language, language.partition("-")[0]) if code in status.languages), "")
