"""Base of the sockets of the site's own pages: a ticket opens them, commands come up as JSON, and numbered events go
down. Each carries one job, which begins with a `start`."""

import asyncio
import logging
from abc import abstractmethod
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import parse_qs

import msgspec

from accounts.credentials.jwt import tickets, tokens
from accounts.credentials.principal import Caller, approval_reason
from accounts.metrics import AUTH_ERRORS
from inference.observability.recent_errors import classify
from speech import events
from speech.dialects.sockets.socket import Socket
from speech.errors import NotApproved, NotAuthenticated, ProtocolError, StreamError, Unavailable
from speech.gateway.database import in_database
from speech.gateway.revocation import revocation_guard
from speech.gateway.transient_errors import TRANSIENT_ERRORS
from speech.text.json_input import InvalidInput, decode_json

logger = logging.getLogger(__name__)

START_TIMEOUT = 10.0
MAX_EARLY = 50
"""Commands that can follow `start` before the job is created."""


class Command(msgspec.Struct, frozen=True, tag_field="type", tag=events.snake_case, forbid_unknown_fields=True):
    """A message of the client."""


class Ping(Command, frozen=True):
    at: float


class Pong(events.Event, frozen=True):
    at: float


class Error(events.Event, frozen=True):
    """The last event before the socket is closed with `code`."""

    code: int
    what: str
    why: str
    action: str


class Job(Protocol):
    async def run(self) -> None: ...
    def fail(self, error: StreamError) -> None: ...


Start = TypeVar("Start", bound=Command)
AnyJob = TypeVar("AnyJob", bound=Job)


class BrowserSocket(Socket, Generic[Start, AnyJob]):
    commands: msgspec.json.Decoder[Any]
    start: type[Start]
    max_text: int  # characters
    job: AnyJob | None

    # --- For the page's socket --------------------------------------------------------------------------------------

    @abstractmethod
    def create_job(self, start: Start) -> AnyJob: ...

    @abstractmethod
    def on_command(self, job: AnyJob, command: Command) -> None:
        """Handle a command other than `start` and `ping`. Raises `StreamError`."""

    @abstractmethod
    def on_binary(self, job: AnyJob | None, data: bytes) -> None:
        """Handle a binary message; without a job it came too early. Raises `StreamError`."""

    @abstractmethod
    def detach_job(self, job: AnyJob) -> None:
        """The client has disconnected."""

    def fail_job(self, job: AnyJob, error: StreamError) -> None:
        job.fail(error)

    # --- The socket -------------------------------------------------------------------------------------------------

    async def connect(self) -> None:
        self.job = None
        self._seq = 0
        self._failure: StreamError | None = None
        self._early: list[Command] = []  # after `start`, before the job was created
        self._start: asyncio.Future[Start | StreamError] = asyncio.get_running_loop().create_future()
        await self.accept()
        self.start_serving()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            if bytes_data is not None:
                self.on_binary(self.job, bytes_data)
            else:
                await self._receive_text(text_data or "")
        except StreamError as error:
            self.fail(error)

    def detach(self) -> None:
        if self.job:
            self.detach_job(self.job)
        else:
            super().detach()

    async def send_event(self, event: events.Event) -> None:
        self._seq += 1
        await self.send(text_data=f'{{"seq":{self._seq},{msgspec.json.encode(event)[1:].decode()}')

    async def send_error(self, error: StreamError) -> None:
        await self.send_event(Error(int(error.code), error.what, error.why, error.action))

    async def _receive_text(self, text: str) -> None:
        if len(text) > self.max_text:
            raise ProtocolError(f"A text of {len(text)} characters is too long.", f"The limit is {self.max_text}.")
        try:
            command = decode_json(self.commands, text)
        except InvalidInput as error:
            raise ProtocolError("Invalid message.", str(error)) from None
        if isinstance(command, Ping):
            await self.send_event(Pong(command.at))
        elif isinstance(command, self.start):
            if self._start.done():
                raise ProtocolError("“start” was sent twice.", "One stream per connection.")
            self._start.set_result(command)
        elif not self._start.done():
            name = events.snake_case(type(command).__name__)
            raise ProtocolError(f"“{name}” received before “start”.", "The stream hasn't started.")
        elif self.job:
            self.on_command(self.job, command)
        elif len(self._early) < MAX_EARLY:
            self._early.append(command)
        else:
            raise ProtocolError("Too many messages at once.", "Wait for the answer to “start”.")

    # --- The job ----------------------------------------------------------------------------------------------------

    async def run_job(self) -> None:
        caller = await self._identify()
        async with revocation_guard(caller, self.fail):
            self.user = caller.user
            start = await self._await_start()
            self.job = job = self.create_job(start)
            for command in self._early:
                self.on_command(job, command)
            if self._failure:
                raise self._failure
            await job.run()

    async def _await_start(self) -> Start:
        try:
            async with asyncio.timeout(START_TIMEOUT):
                start = await self._start
        except TimeoutError:
            raise ProtocolError(
                f"No “start” received within {START_TIMEOUT:.0f} s.", "Idle connections are closed."
            ) from None
        if isinstance(start, StreamError):
            raise start
        return start

    def fail(self, error: StreamError) -> None:
        if self.job:
            self.fail_job(self.job, error)
        elif not self._start.done():
            self._start.set_result(error)
        else:
            self._failure = error

    # --- The user ---------------------------------------------------------------------------------------------------

    async def _identify(self) -> Caller:
        try:
            return await in_database(self._authenticate)
        except TRANSIENT_ERRORS as error:
            logger.error("cannot authenticate: %r", error, extra=classify(error))
            raise Unavailable(
                "The server can't accept connections right now.", "A service that it depends on is unavailable."
            ) from None

    def _authenticate(self) -> Caller:
        ticket = parse_qs(self.scope["query_string"].decode("latin1")).get("ticket", [""])[0]
        try:
            caller = tickets.redeem(ticket)
        except tokens.InvalidToken as error:
            AUTH_ERRORS.labels("ticket").inc()
            raise NotAuthenticated(why=str(error)) from None
        if not caller.user.is_approved:
            raise NotApproved(why=approval_reason(caller.user))
        return caller
