"""A program's socket: whose it is is known before it is accepted, and it ends when that changes.

What a program does with it is its dialect's: `serve` runs for as long as the socket is open.
"""

import asyncio
import logging
from abc import abstractmethod
from typing import Any, ClassVar

import msgspec
from django.http import QueryDict

from accounts.credentials.credentials import Credentials
from accounts.credentials.principal import Caller, Refused
from accounts.credentials.throttling import admit
from accounts.scopes import SESSIONS
from speech import errors
from speech.dialects.sockets.socket import Socket
from speech.errors import CloseCode, StreamError
from speech.gateway.broadcast import about_token, about_user
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import OUTAGES

logger = logging.getLogger(__name__)

FINISH_WITHIN = 9.0
"""Seconds a socket has to end after its client has gone; Daphne kills it after ten."""


class ProgramSocket(Socket):
    needs: ClassVar[str]
    """The scope without which nobody comes in."""
    body_of_denial: ClassVar[bool] = True
    """Whether a refusal before the upgrade says why, where the server can say anything."""

    # --- For the dialect --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """It is known whose it is. Raises `Refused` if the query is not right."""

    @abstractmethod
    async def serve(self) -> None:
        """Raises `StreamError`, which `tell_error` tells before the socket is closed."""

    @abstractmethod
    async def tell_error(self, error: StreamError) -> None: ...

    @abstractmethod
    def fail(self, error: StreamError) -> None:
        """End what runs, for this reason: the account was rejected, the token revoked."""

    def leave(self) -> None:
        """The client has gone. Without anything of a dialect's own, so does whatever runs."""
        self._task.cancel()

    def close_code(self, error: StreamError) -> int:
        return int(error.code)

    @property
    def wants_to_keep(self) -> bool:
        return self.query.get("keep", "").lower() in ("1", "true", "yes")

    # --- From the server --------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.query = QueryDict(self.scope["query_string"])
        credentials = Credentials.of_scope(self.scope)
        try:
            self.caller = await self._admit(credentials)
            self.prepare()
        except Refused as refused:
            await self._deny(refused.status, refused.told)
        except OUTAGES as error:
            logger.error("nobody can be let in: %r", error)
            await self._deny(503, {"what": "The server cannot let anybody in at the moment."})
        else:
            await self.accept(credentials.subprotocol)
            self._task = asyncio.create_task(self._serve())

    async def _admit(self, credentials: Credentials) -> Caller:
        caller = await in_database(admit, credentials)
        caller.demand(self.needs)
        if self.wants_to_keep:
            caller.demand(SESSIONS)
        return caller

    async def _deny(self, status: int, told: dict[str, str]) -> None:
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            return await self.close()  # before it is accepted: 403 without a word
        headers = [(b"content-type", b"application/json")] if self.body_of_denial else []
        await self.base_send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        body = msgspec.json.encode(told) if self.body_of_denial else b""
        return await self.base_send({"type": "websocket.http.response.body", "body": body})

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "_task"):
            return
        self.leave()
        await asyncio.wait([self._task], timeout=FINISH_WITHIN)
        if not self._task.done():
            logger.warning("a stream of user %s did not end in %.0f s", self.caller.user.pk, FINISH_WITHIN)
            await self.shut_down()

    async def shut_down(self) -> None:
        if hasattr(self, "_task"):
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _serve(self) -> None:
        code, reason = int(CloseCode.DONE), ""
        link, user = Link.current(), self.caller.user
        try:
            with (
                link.listening(about_user(user.pk), self._hear_of_user),
                link.listening(about_token(self.caller.token), self._hear_of_token),
            ):
                await self.serve()
        except StreamError as error:
            code, reason = self.close_code(error), error.what
            await self.tell_error(error)
        except asyncio.CancelledError:
            code, reason = int(CloseCode.RESTARTING), "The server restarts."
            raise
        except Exception:
            logger.exception("a stream failed")
            code, reason = int(CloseCode.FAILED), "Something went wrong on the server."
        finally:
            await self.close(code, reason)

    def _hear_of_user(self, notice: dict[str, Any]) -> None:
        self.fail(errors.NotApproved("Your account was rejected.", notice["reason"]))

    def _hear_of_token(self, notice: dict[str, Any]) -> None:
        why = "Somebody revoked it, or it was used by two."
        self.fail(errors.NotAuthenticated("The token was revoked.", why, "Use another one."))
