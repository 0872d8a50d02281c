"""HTTP connections with limits of time and size."""

import asyncio
from enum import Enum, auto
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel

from accounts.credentials.principal import AccessDenied
from operations.connections.address_limit import address_of
from operations.connections.body_limit import DEFAULT_BODY, BodyTooLarge, NoRoomForBody, largest_body
from operations.connections.credentials import denial_of
from operations.connections.dropped import dropped
from operations.connections.rejection import rejection
from operations.connections.send_buffer import unsent_bytes
from speech.disk_space import has_room_for_request

HEADER_TIMEOUT = 10.0
"""Seconds until the header of a request is complete, and until a new connection sends something."""
BODY_WINDOW = 30.0
"""Seconds in each of which `MIN_BODY` bytes of a body arrive, or its end."""
MIN_BODY = 30 * 1000
"""A kilobyte per second. A mobile connection with 100 kbit/s sends twelve."""
KEEP_ALIVE = 60.0
"""Seconds between two requests, and seconds in each of which a client reads some of its response."""
CREDENTIALS_TIMEOUT = 30.0
"""Seconds until the database has answered."""
REJECTED_TIMEOUT = 2.0
"""Seconds in which a client can read why its request was rejected. Many read when they can't send any more."""
MAX_DISCARDED = DEFAULT_BODY
"""Bytes read and discarded meanwhile, so that clients that send little more than that needn't be stopped."""


class Waiting(Enum):
    """What the server waits for."""

    REQUEST = auto()
    HEADER = auto()
    CREDENTIALS = auto()
    BODY = auto()
    RESPONSE = auto()
    """The application, not the client."""
    CLOSE = auto()
    """The request was rejected."""


class LimitedRequest(WebRequest):
    def __init__(self, channel: Any, queued: Any = False) -> None:
        """Leave forms to Django. Twisted parses them, too, which blocks the event loop and holds their files in memory;
        Daphne has no option for it. Not reported."""
        super().__init__(channel, queued, parsePOSTFormSubmission=False)

    def handleContentChunk(self, data: bytes) -> None:
        """Raises `BodyTooLarge` for a chunked body."""
        if self.content.tell() + len(data) > self.channel.max_body:
            raise BodyTooLarge(self.channel.max_body)
        super().handleContentChunk(data)

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        """State the length of a chunked body, now that it is complete. Django's forms and REST framework take a request
        without Content-Length for one without a body. https://github.com/django/daphne/issues/476"""
        if self.requestHeaders.hasHeader(b"Transfer-Encoding"):
            self.requestHeaders.removeHeader(b"Transfer-Encoding")
            self.requestHeaders.setRawHeaders(b"Content-Length", [b"%d" % self.content.tell()])
        super().requestReceived(command, path, version)

    def handle_exception(self, exception: BaseException) -> None:
        """Break the connection if the response has begun; there is no other sign of an error then. Daphne raises an
        error of its own, which leaves this connection open, and ends its checks of all connections. Not reported."""
        if not self._response_started:
            super().handle_exception(exception)
        elif self.channel:
            self.channel.forceAbortClient()


class LimitedChannel(HTTPChannel):
    """A connection with limits, in the order of a request's life.

    Twisted has one timeout, which every byte restarts (not reported), and Daphne stores bodies of any size before the
    application starts.
    https://github.com/django/daphne/issues/253
    """

    max_body = DEFAULT_BODY
    _waiting = Waiting.REQUEST
    _received = 0  # bytes in the current `BODY_WINDOW`, or since the rejection
    _unsent = 0  # bytes of the response at the last look
    _check: asyncio.Task[None] | None = None

    def connectionMade(self) -> None:
        super().connectionMade()
        self._wait_for(Waiting.REQUEST, HEADER_TIMEOUT)
        self.factory.server.address_limit.admit(self.transport)

    def dataReceived(self, data: bytes) -> None:
        """Receive data without Twisted's restart of the timeout."""
        self._received += len(data)
        if self._waiting is Waiting.CLOSE:
            if self._received > MAX_DISCARDED:
                self._networkProducer.pauseProducing()
            return
        if self._waiting is Waiting.REQUEST:
            self.factory.server.address_limit.count(self.transport)
            self._wait_for(Waiting.HEADER, HEADER_TIMEOUT)
        LineReceiver.dataReceived(self, data)

    def allHeadersReceived(self) -> None:
        """Decide whether to read the body, before the client is asked to send it with “100 Continue”."""
        is_small = self.length is not None and self.length <= DEFAULT_BODY
        self.max_body = DEFAULT_BODY if is_small else largest_body(self._path_text)
        if self.length is not None and self.length > self.max_body:
            self._reject(BodyTooLarge(self.max_body), "too_large")
        elif self.max_body > DEFAULT_BODY:
            self.paused = True
            self._networkProducer.pauseProducing()
            self._wait_for(Waiting.CREDENTIALS, CREDENTIALS_TIMEOUT)
            self._check = asyncio.ensure_future(self._read_body_if_authenticated())
        else:
            self._read_body()

    async def _read_body_if_authenticated(self) -> None:
        denial = await denial_of(self._headers, self._path.partition(b"?")[2])
        if denial:
            self._reject(denial, "credentials")
            return
        if not has_room_for_request(self.max_body if self.length is None else self.length):
            self._reject(NoRoomForBody(), "disk")
            return
        self._read_body()
        self.paused = False
        self._networkProducer.resumeProducing()
        self.dataReceived(b"")  # what arrived with the header

    def _read_body(self) -> None:
        self._wait_for(Waiting.BODY, BODY_WINDOW)
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        try:
            super().rawDataReceived(data)
        except BodyTooLarge as error:
            self._reject(error, "too_large")

    def allContentReceived(self) -> None:
        self._wait_for(Waiting.RESPONSE, KEEP_ALIVE)
        super().allContentReceived()  # stops the timeout; `requestDone` restarts it

    def requestDone(self, request: Any) -> None:
        self._waiting, self._unsent = Waiting.REQUEST, 0
        self.factory.server.address_limit.count(self.transport, is_idle=bool(self.persistent))
        super().requestDone(request)
        if not self.persistent:
            self.setTimeout(KEEP_ALIVE)  # for the client to read the response

    def resumeProducing(self) -> None:
        """The client has read an earlier response. Read from it, unless its credentials are being checked."""
        super().resumeProducing()
        if self._waiting is Waiting.CREDENTIALS:
            self._networkProducer.pauseProducing()

    def timeoutConnection(self) -> None:
        match self._waiting:
            case Waiting.BODY if self._received >= MIN_BODY:
                self._wait_for(Waiting.BODY, BODY_WINDOW)
            case Waiting.REQUEST if self._is_reading_response():
                self.setTimeout(KEEP_ALIVE)
            case Waiting.REQUEST if not self._unsent:
                self.loseConnection()  # not logged: browsers open connections ahead of time
            case Waiting.REQUEST:
                self._drop("response")
            case Waiting.HEADER:
                self._drop("header")
            case Waiting.BODY:
                self._drop("body")
            case _:
                self.transport.abortConnection()

    def _drop(self, reason: str) -> None:
        dropped.add(reason, self._client)
        self.transport.abortConnection()

    def connectionLost(self, reason: Any) -> None:
        if self._check:
            self._check.cancel()
        self.factory.server.address_limit.release(self.transport)
        super().connectionLost(reason)

    def _wait_for(self, waiting: Waiting, seconds: float | None) -> None:
        self._waiting, self._received = waiting, 0
        self.setTimeout(seconds)

    def _reject(self, error: AccessDenied, reason: str) -> None:
        """Respond and end the connection without reading the body, except for `MAX_DISCARDED` bytes."""
        dropped.add(reason, self._client)
        self.transport.write(rejection(self._path_text, error, has_body=self._command != b"HEAD"))
        self.transport.loseWriteConnection()
        self.paused = True
        self._networkProducer.resumeProducing()
        self._wait_for(Waiting.CLOSE, REJECTED_TIMEOUT)

    def _is_reading_response(self) -> bool:
        """Whether the client has read some of its response since the last look, and there is more. Twisted closes the
        connection of a client that needs longer. https://github.com/twisted/twisted/issues/12498"""
        before, self._unsent = self._unsent, unsent_bytes(self.transport)
        return self._unsent > 0 and self._unsent != before

    @property
    def _client(self) -> str:
        """The client's address for the log, also behind a proxy if the header has arrived."""
        address = address_of(self.transport)
        client = settings.TRUSTED_PROXIES.client_of({"client": [address, 0], "headers": self._headers})
        return str(client[0]) if client else address

    @property
    def _headers(self) -> list[tuple[bytes, bytes]]:
        """The header of the last request, as in ASGI."""
        received = self.requests[-1].requestHeaders.getAllRawHeaders() if self.requests else []
        return [(name.lower(), value) for name, values in received for value in values]

    @property
    def _path_text(self) -> str:
        return self._path.partition(b"?")[0].decode("latin1")


class LimitedFactory(HTTPFactory):
    """Makes the connections of the site. Daphne and Twisted have no option for their class. Not reported."""

    def buildProtocol(self, addr: Any) -> Any:
        channel = LimitedChannel()
        channel.factory, channel.requestFactory, channel.callLater = self, LimitedRequest, self.reactor.callLater
        return channel
