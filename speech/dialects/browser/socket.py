"""What the sockets of the site's own pages have in common: a ticket opens them, commands come up as JSON, and numbered
events go down. Each carries one job, which begins with a `start`."""

import asyncio
import logging
from abc import abstractmethod
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs

import msgspec

from accounts.credentials.jwt import tokens
from accounts.metrics import AUTH_ERRORS
from accounts.models import User
from speech import events
from speech.dialects.sockets.socket import Socket
from speech.errors import CloseCode, NotApproved, NotAuthenticated, ProtocolError, StreamError, Unavailable
from speech.gateway.broadcast import user_topic
from speech.gateway.database import in_database
from speech.gateway.link import Link
from speech.gateway.transient_errors import TRANSIENT_ERRORS

logger = logging.getLogger(__name__)

START_TIMEOUT = 10.0
MAX_EARLY = 50
CLOSE_TIMEOUT = 9.0
"""Seconds a job has to end after its socket has gone; Daphne kills it after ten."""


class Command(msgspec.Struct, frozen=True, tag_field="type", tag=str.lower, forbid_unknown_fields=True):
    pass


class Ping(Command, frozen=True):
    at: float


class Pong(events.Event, frozen=True):
    at: float


class Error(events.Event, frozen=True):
    """Told before the socket is closed with `code`."""

    code: int
    what: str
    why: str
    action: str


Start = TypeVar("Start", bound=Command)


class BrowserSocket(Socket, Generic[Start]):
    commands: msgspec.json.Decoder[Any]
    start: type[Start]
    max_text: int  # characters

    # --- What a kind of socket does -----------------------------------------------------------------------------------

    @abstractmethod
    def create_job(self, start: Start) -> None:
        """Make the job."""

    @abstractmethod
    async def run(self) -> None:
        """What `begin` made."""

    @abstractmethod
    def on_command(self, command: Command) -> None:
        """Any command but the first, which is `start`, and `ping`. Raises `StreamError`."""

    @abstractmethod
    def on_binary(self, data: bytes) -> None:
        """A binary message. Raises `StreamError`."""

    @abstractmethod
    def fail(self, error: StreamError) -> None:
        """End the job; `run` raises the error."""

    @abstractmethod
    def detach(self) -> None:
        """Nobody listens to the job any more."""

    # --- The socket ---------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self._seq = 0
        self.has_begun = False
        self._failure: StreamError | None = None
        self._early: list[Command] = []  # came after `start`, and before the job
        self._start: asyncio.Future[Start | StreamError] = asyncio.get_running_loop().create_future()
        await self.accept()
        self._task = asyncio.create_task(self._serve())

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            if bytes_data is not None:
                self.on_binary(bytes_data)
            else:
                await self._receive_text(text_data or "")
        except StreamError as error:
            self._fail(error)

    async def disconnect(self, code: int) -> None:
        if self.has_begun:
            self.detach()
        else:
            self._task.cancel()
        await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT)
        if not self._task.done():
            logger.warning("a stream of user %s did not end in %.0f s", self.user.pk, CLOSE_TIMEOUT)
            await self.shut_down()

    async def shut_down(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def send_event(self, event: events.Event) -> None:
        await self._send_json(msgspec.json.encode(event))

    async def _receive_text(self, text: str) -> None:
        if len(text) > self.max_text:
            raise ProtocolError(f"A text of {len(text)} characters is too long.", f"The bound is {self.max_text}.")
        try:
            command = self.commands.decode(text)
        except (msgspec.DecodeError, RecursionError) as error:  # the latter for brackets in brackets in brackets
            raise ProtocolError("A message could not be read.", str(error)) from None
        if isinstance(command, Ping):
            await self._send_json(msgspec.json.encode(Pong(command.at)))
        elif isinstance(command, self.start):
            if self._start.done():
                raise ProtocolError("“start” came twice.", "A socket carries one stream.")
            self._start.set_result(command)
        elif not self._start.done():
            raise ProtocolError(f"“{type(command).__name__.lower()}” came before “start”.", "There is no stream yet.")
        elif self.has_begun:
            self.on_command(command)
        elif len(self._early) < MAX_EARLY:
            self._early.append(command)
        else:
            raise ProtocolError("Too many messages came at once.", "Wait for the answer to “start”.")

    async def _send_json(self, message: bytes) -> None:
        self._seq += 1
        await self.send(text_data=f'{{"seq":{self._seq},{message[1:].decode()}')

    # --- The job ------------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        code, reason = CloseCode.DONE, ""
        try:
            self.user = await self._identify()
            with Link.current().subscribed(user_topic(self.user.pk), self._on_user_rejected):
                await self._run()
        except StreamError as error:
            code, reason = error.code, error.what
            await self._send_error(error)
        except asyncio.CancelledError:
            code, reason = CloseCode.RESTARTING, "The server restarts."
            raise
        except Exception:
            logger.exception("a stream failed")
            code, reason = CloseCode.FAILED, "Something went wrong on the server."
        finally:
            await self.close(int(code), reason)

    async def _run(self) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT):
                start = await self._start
        except TimeoutError:
            raise ProtocolError(f"No “start” came in {START_TIMEOUT:.0f} s.", "An idle socket is closed.") from None
        if isinstance(start, StreamError):
            raise start
        self.create_job(start)
        self.has_begun = True
        for command in self._early:
            self.on_command(command)
        if self._failure:
            raise self._failure
        await self.run()

    async def _send_error(self, error: StreamError) -> None:
        told = Error(int(error.code), error.what, error.why, error.action)
        await self._send_json(msgspec.json.encode(told))

    def _fail(self, error: StreamError) -> None:
        if self.has_begun:
            self.fail(error)
        elif not self._start.done():
            self._start.set_result(error)
        else:
            self._failure = error

    # --- Whose it is --------------------------------------------------------------------------------------------------

    async def _identify(self) -> User:
        try:
            return await in_database(self._authenticate)
        except TRANSIENT_ERRORS as error:
            logger.error("nobody can be let in: %r", error)
            raise Unavailable("The server cannot let anybody in at the moment.", "A part of it is away.") from None

    def _authenticate(self) -> User:
        ticket = parse_qs(self.scope["query_string"].decode("latin1")).get("ticket", [""])[0]
        try:
            user = tokens.bearer_of(tokens.redeem(ticket, tokens.TICKET_AUDIENCE))
        except tokens.InvalidToken as error:
            AUTH_ERRORS.labels("ticket").inc()
            raise NotAuthenticated(why=str(error)) from None
        if not user.is_approved:
            raise NotApproved(why=user.decision_reason)
        return user

    def _on_user_rejected(self, notice: dict[str, Any]) -> None:
        self._fail(NotApproved("Your account was rejected.", notice["reason"]))
