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
from accounts.credentials.principal import AccessDenied, Caller
from accounts.credentials.throttling import authenticate
from accounts.scopes import SESSIONS
from speech import errors
from speech.dialects.sockets.socket import Socket
from speech.errors import CloseCode, StreamError
from speech.gateway.broadcast import token_topic, user_topic
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT = 9.0
"""Seconds a socket has to end after its client has gone; Daphne kills it after ten."""


class ApiSocket(Socket):
    scope_required: ClassVar[str]
    """The scope without which nobody comes in."""
    denial_has_body: ClassVar[bool] = True
    """Whether a refusal before the upgrade says why, where the server can say anything."""

    # --- For the dialect --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """It is known whose it is. Raises `Refused` if the query is not right."""

    @abstractmethod
    async def serve(self) -> None:
        """Raises `StreamError`, which `tell_error` tells before the socket is closed."""

    @abstractmethod
    async def send_error(self, error: StreamError) -> None: ...

    @abstractmethod
    def fail(self, error: StreamError) -> None:
        """End what runs, for this reason: the account was rejected, the token revoked."""

    def on_client_gone(self) -> None:
        """The client has gone. Without anything of a dialect's own, so does whatever runs."""
        self._task.cancel()

    def close_code(self, error: StreamError) -> int:
        return int(error.code)

    @property
    def is_saved(self) -> bool:
        return self.query.get("keep", "").lower() in ("1", "true", "yes")

    # --- From the server --------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.query = QueryDict(self.scope["query_string"])
        credentials = Credentials.of_scope(self.scope)
        try:
            self.caller = await self._admit(credentials)
            self.prepare()
        except AccessDenied as refused:
            await self._deny(refused.status, refused.to_dict)
        except TRANSIENT_ERRORS as error:
            logger.error("nobody can be let in: %r", error)
            await self._deny(503, {"what": "The server cannot let anybody in at the moment."})
        else:
            await self.accept(credentials.subprotocol)
            self._task = asyncio.create_task(self._serve())

    async def _admit(self, credentials: Credentials) -> Caller:
        caller = await in_database(authenticate, credentials)
        caller.require(self.scope_required)
        if self.is_saved:
            caller.require(SESSIONS)
        return caller

    async def _deny(self, status: int, told: dict[str, str]) -> None:
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            return await self.close()  # before it is accepted: 403 without a word
        headers = [(b"content-type", b"application/json")] if self.denial_has_body else []
        await self.base_send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        body = msgspec.json.encode(told) if self.denial_has_body else b""
        return await self.base_send({"type": "websocket.http.response.body", "body": body})

    async def disconnect(self, code: int) -> None:
        if not hasattr(self, "_task"):
            return
        self.on_client_gone()
        await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT)
        if not self._task.done():
            logger.warning("a stream of user %s did not end in %.0f s", self.caller.user.pk, CLOSE_TIMEOUT)
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
                link.subscribed(user_topic(user.pk), self._on_user_rejected),
                link.subscribed(token_topic(self.caller.token), self._on_token_revoked),
            ):
                await self.serve()
        except StreamError as error:
            code, reason = self.close_code(error), error.what
            await self.send_error(error)
        except asyncio.CancelledError:
            code, reason = int(CloseCode.RESTARTING), "The server restarts."
            raise
        except Exception:
            logger.exception("a stream failed")
            code, reason = int(CloseCode.FAILED), "Something went wrong on the server."
        finally:
            await self.close(code, reason)

    def _on_user_rejected(self, notice: dict[str, Any]) -> None:
        self.fail(errors.NotApproved("Your account was rejected.", notice["reason"]))

    def _on_token_revoked(self, notice: dict[str, Any]) -> None:
        why = "Somebody revoked it, or it was used by two."
        self.fail(errors.NotAuthenticated("The token was revoked.", why, "Use another one."))
