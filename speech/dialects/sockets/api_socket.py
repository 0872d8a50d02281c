"""Base of the WebSockets of the APIs: the caller is authenticated before the socket is accepted."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, TypeAlias

from django.http import HttpResponse, JsonResponse, QueryDict

from accounts.credentials.credentials import Credentials
from accounts.credentials.principal import AccessDenied, Caller
from accounts.credentials.throttling import authenticate
from accounts.scopes import BROWSER_ONLY, SESSIONS, check_declared
from inference.messages import Kind
from inference.observability.recent_errors import classify
from speech.dialects.api_view import http_status, retry_headers
from speech.dialects.sockets.socket import Socket
from speech.errors import AtCapacity, InternalError, StreamError, Unavailable
from speech.gateway.database import in_database, in_own_thread
from speech.gateway.link import Link
from speech.gateway.revocation import revocation_guard
from speech.gateway.slot_request import REASSIGN_TIMEOUT
from speech.gateway.transient_errors import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

CAPACITY_TIMEOUT = 0.4
"""Seconds without a slot after which the client gets an error: some clients give up after half of one."""

CANNOT_AUTHENTICATE = Unavailable(
    "The server can't accept connections right now.", "A service that it depends on is unavailable.", "Try again."
)

ErrorResponse: TypeAlias = "staticmethod[[AccessDenied | StreamError], HttpResponse]"


def _json_response(error: AccessDenied | StreamError) -> HttpResponse:
    body = {"what": error.what, "why": error.why, "action": error.action}
    code = {"code": error.code} if isinstance(error, AccessDenied) else {}
    return JsonResponse({**code, **body}, status=http_status(error), headers=retry_headers(error))


class ApiSocket(Socket):
    scope_required: ClassVar[str] = BROWSER_ONLY
    """The scope that a token needs. A class that declares none cannot be routed."""
    error_response: ClassVar[ErrorResponse] = staticmethod(_json_response)
    """Turns an error into the response to a denied handshake, in the form of the dialect."""

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Raises `UnknownScope`, when `routing.py` is imported."""
        check_declared(cls.scope_required, cls.__name__)
        return super().as_asgi(**initkwargs)

    # --- For the dialect --------------------------------------------------------------------------------------------

    async def check_query(self) -> None:
        """The caller is known. Raises `AccessDenied` or `StreamError`, which denies the handshake."""

    def prepare(self) -> None:
        """As `check_query`, after it."""

    @abstractmethod
    async def serve(self) -> None:
        """Run for as long as the socket is open. Raises `StreamError`."""

    is_ready = False
    """The job had a slot; the dialect sets it."""

    @property
    def is_saved(self) -> bool:
        return self.query.get("keep", "").lower() in ("1", "true", "yes")

    # --- Handshake --------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.query = QueryDict(self.scope["query_string"])
        credentials = Credentials.of_scope(self.scope)
        try:
            self.caller = await self._authenticate(credentials)
            await self.check_query()
            self.prepare()
        except (AccessDenied, StreamError) as error:
            await self._deny(self.error_response(error))
        except TRANSIENT_ERRORS as error:
            logger.error("cannot authenticate: %r", error, extra=classify(error))
            await self._deny(self.error_response(CANNOT_AUTHENTICATE))
        else:
            await self.accept(credentials.subprotocol)
            self._is_admitted = asyncio.Event()
            self.start_serving()
            await self._is_admitted.wait()  # no message of the client comes before the dialect's first one

    async def _authenticate(self, credentials: Credentials) -> Caller:
        run = in_own_thread if credentials.asks_issuer else in_database
        caller = await run(authenticate, credentials)
        caller.require(self.scope_required)
        if self.is_saved:
            caller.require(SESSIONS)
        return caller

    async def _deny(self, response: HttpResponse) -> None:
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            return await self.close()  # before it is accepted: 403 without a body
        headers = [(name.encode("latin1"), value.encode("latin1")) for name, value in response.items()]
        start = {"type": "websocket.http.response.start", "status": response.status_code, "headers": headers}
        await self.base_send(start)
        return await self.base_send({"type": "websocket.http.response.body", "body": response.content})

    async def run_job(self) -> None:
        try:
            async with revocation_guard(self.caller, self.fail):
                self._is_admitted.set()
                await self.serve()
        finally:
            self._is_admitted.set()

    @contextmanager
    def watched(self, *watches: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Run watches beside the job. An error of one ends the job."""
        tasks = [asyncio.create_task(self._watch(watch)) for watch in watches]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    async def _watch(self, watch: Callable[[], Awaitable[None]]) -> None:
        try:
            await watch()
        except StreamError as error:
            self.fail(error)
        except Exception:
            logger.exception("unexpected error beside the job of %s", type(self).__name__)
            self.fail(InternalError())

    async def fail_at_capacity(self, kind: Kind) -> None:
        """Fail early if every engine of the kind is full, and no other account gives up a slot."""
        workers = Link.current().workers
        account = str(self.caller.user.pk)
        claims_share = any(workers.reassignment(name, account) for name in await workers.engines(kind))
        await asyncio.sleep(REASSIGN_TIMEOUT if claims_share else CAPACITY_TIMEOUT)
        engines = await workers.engines(kind)
        if not self.is_ready and engines and not any(status.free for status in engines.values()):
            self.fail(AtCapacity())
