"""A stream's search for a slot, at its beginning and whenever it has lost one."""

from collections.abc import Callable
from typing import Any

from inference.messages import Down, Kind
from speech.events import Queued, Starting
from speech.gateway.admission import Admission
from speech.gateway.connection import Connection
from speech.gateway.link import Link


class SlotSearch:
    """Who was served once is served again by the same engine, in the same language, and waits for it."""

    def __init__(
        self,
        link: Link,
        receive: Callable[[Down], None],
        *,
        kind: Kind,
        engine: str = "",
        language: str = "",
        may_wait: bool = False,
    ) -> None:
        """`receive` gets `Ready` once there is a slot, and what follows. `may_wait`: queue instead of failing at
        capacity."""
        self.kind = kind
        self.engine = engine
        self.language = language
        self.may_wait = may_wait
        self._link = link
        self._receive = receive
        self._admission: Admission | None = None

    async def poll(self, position: int, **wishes: Any) -> Queued | Starting | None:
        """Ask for a slot in which to begin at sample `position`, or look after what was asked for; returns what is new
        for who waits. `wishes` are other fields of `Open`. Raises as `Admission.ask` and `Admission.news`."""
        if self._admission:
            await self._admission.retry_if_lost(self._receive)
        else:
            self._admission = await Admission.request(
                self._link,
                self.engine,
                self.language,
                position=position,
                may_wait=self.may_wait,
                receive=self._receive,
                kind=self.kind,
                **wishes,
            )
        return self._admission.poll()

    def claim(self) -> Connection | None:
        """The slot, if one was found; the search is over then."""
        if self._admission is None or (connection := self._admission.claim()) is None:
            return None
        self.engine, self.language, self.may_wait = self._admission.engine.engine, self._admission.language, True
        self._admission = None
        return connection

    def stop(self) -> None:
        if self._admission:
            self._admission.close()
            self._admission = None
