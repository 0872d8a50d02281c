"""Daphne with this site's limits, back-pressure, graceful shutdown and messages."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server as Daphne
from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol
from twisted.internet import reactor as twisted_reactor
from twisted.internet.abstract import FileDescriptor
from twisted.logger import STDLibLogObserver, globalLogPublisher

from speech.errors import CloseCode
from speech.gateway.drain import drain_streams

logger = logging.getLogger(__name__)
reactor: Any = twisted_reactor  # the type stubs don't cover it

MAX_MESSAGE = 64 * 1024
"""Bytes per message from a page; a WebSocket that sends more is closed with 1009."""
MAX_API_MESSAGE = 1024 * 1024
"""Bytes per message from an API client: five seconds of audio in the encoding of Kyutai's clients, which may send
that much in one message."""
PAGES = ("/ws/live/", "/ws/voices/")

MAX_UNREAD = 256 * 1024
"""Bytes buffered for a slow client. Above this its WebSocket is closed; it can reconnect to its session."""
READ_TIMEOUT = 60.0
"""Seconds a client has to read one part of an HTTP response."""
SEND_BUFFER = 64 * 1024
"""Bytes of the kernel's send buffer per client. More than a minute of words; the kernel's default is megabytes."""


class BoundedSocket(WebSocketProtocol):
    """A WebSocket with a bounded send buffer. Daphne's would grow without limit for a client that does not read."""

    _unread: int | None = None  # bytes sent since the transport's buffer filled up; None: it is not full

    dataReceived = WebSocketProtocol._dataReceived
    """Autobahn's own formats a debug line that is never logged, for every frame of every stream."""

    def __init__(self) -> None:
        super().__init__()
        self._has_room = asyncio.Event()
        self._has_room.set()

    def onConnect(self, request: Any) -> Any:
        if request.path in PAGES:
            self.maxMessagePayloadSize = self.maxFramePayloadSize = MAX_MESSAGE
        return super().onConnect(request)

    def onOpen(self) -> None:
        super().onOpen()
        self.transport.getHandle().setsockopt(SOL_SOCKET, SO_SNDBUF, SEND_BUFFER)
        self.transport.unregisterProducer()  # the HTTP channel, which would only stop reading from the client
        self.transport.registerProducer(self, True)
        if isinstance(self.transport, FileDescriptor):
            write_immediately(self.transport)

    def pauseProducing(self) -> None:
        self._unread = self._unread or 0
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._unread = None
        self._has_room.set()

    async def drained(self) -> None:
        await self._has_room.wait()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:  # otherwise the consumer no longer waits for it
            super().onMessage(payload, isBinary)

    def serverClose(self, code: int | None = None) -> None:
        """Give the client time to read what is in flight; Autobahn would drop the connection after a second."""
        self.closeHandshakeTimeout = READ_TIMEOUT
        super().serverClose(code)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        self._has_room.set()
        super().onClose(wasClean, code, reason)

    def stopProducing(self) -> None:
        pass

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        if self.state in (self.STATE_CLOSING, self.STATE_CLOSED):
            return
        if self._unread is not None:
            self._unread += len(content)
        if (self._unread or 0) > MAX_UNREAD:
            logger.warning("client %s reads too slowly; closing its WebSocket", self.client_addr)
            self.sendClose(int(CloseCode.TOO_SLOW), "You read too slowly.")
        else:
            super().serverSend(content, binary)


def write_immediately(transport: Any) -> None:
    """Write to the socket directly and poll only for the rest. Twisted polls before every write, that is for every
    frame of every stream, although the socket is nearly always writable."""
    write, stop_writing = transport.write, transport.stopWriting
    is_pending = True  # the handshake response may be: the first message goes through Twisted, after it

    def write_or_buffer(data: bytes) -> None:
        nonlocal is_pending
        if transport.connected and not is_pending:
            written = transport.writeSomeData(data)
            if isinstance(written, int):  # otherwise an exception, which Twisted's own write meets again and handles
                data = data[written:]
        if data:
            is_pending = True
            write(data)

    def on_drained() -> None:
        nonlocal is_pending
        is_pending = False
        stop_writing()

    transport.write, transport.stopWriting = write_or_buffer, on_drained


class ClientBackpressure:
    """Delays each part of an HTTP body until the client has read those before. Daphne would buffer them all, and an
    hour of audio is a hundred megabytes."""

    def __init__(self, request: Any) -> None:
        self._request = request
        self._has_room = asyncio.Event()
        self._has_room.set()
        request.registerProducer(self, True)

    async def wait(self) -> None:
        try:
            async with asyncio.timeout(READ_TIMEOUT):
                await self._has_room.wait()
        except TimeoutError:
            logger.warning("client %s reads too slowly; closing its connection", self._request.client_addr)
            self._request.channel.forceAbortClient()

    def pauseProducing(self) -> None:
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._has_room.set()

    stopProducing = resumeProducing


class Server(Daphne):
    def __init__(self, host: str, port: int, on_stop_requested: Callable[[], None]) -> None:
        WebSocketFactory.protocol = BoundedSocket
        self._address = f"{host}:{port}"
        self._on_stop_requested = on_stop_requested
        self.failed = False
        self._draining: asyncio.Future[None] | None = None
        self._ports: list[Any] = []
        observer: Any = STDLibLogObserver()
        globalLogPublisher.addObserver(observer)  # Daphne discards Twisted's log, including errors
        super().__init__(
            application=get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            websocket_max_message_size=MAX_API_MESSAGE,
            websocket_max_frame_size=MAX_API_MESSAGE,
            server_name="speech",
            signal_handlers=False,  # Twisted's stop immediately
        )

    def run(self) -> None:
        reactor.callWhenRunning(self._await_stop)
        super().run()

    def _await_stop(self) -> None:
        loop = asyncio.get_event_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        """Stop once all streams are finished; on the second signal, stop immediately."""
        if self._draining is not None:
            self._draining.cancel()
            return
        self._on_stop_requested()
        for port in self._ports:
            port.stopListening()  # clients reconnect to another process, or to this one after its restart
        self._draining = asyncio.ensure_future(drain_streams())
        self._draining.add_done_callback(lambda _: self.stop())

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, BoundedSocket):
            # Daphne has no flow control, so consumers get these to pause reading and to wait for writes.
            transport = protocol.transport
            scope["extensions"] = {
                "reading": {"pause": transport.pauseProducing, "resume": transport.resumeProducing},
                "writing": {"drained": protocol.drained},
            }
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        has_more = message["type"] == "http.response.body" and message.get("more_body", False)
        if not has_more and getattr(protocol, "slow_reader", None) and protocol.channel:
            protocol.unregisterProducer()
        await super().handle_reply(protocol, message)
        if has_more and protocol.channel and not protocol.finished:
            if not getattr(protocol, "slow_reader", None):
                protocol.slow_reader = ClientBackpressure(protocol)
            await protocol.slow_reader.wait()

    def kill_all_applications(self) -> Any:
        """Work around Daphne, which fails and ends none if the application of one connection has already ended."""
        ended: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        ended.set_result(None)
        for details in self.connections.values():
            details.setdefault("application_instance", ended)
        return super().kill_all_applications()

    def listen_error(self, failure: Any) -> None:
        print(
            f"Can't listen on {self._address}: {failure.getErrorMessage()}\n"
            "The port may be in use. Stop the other program or choose another port: make serve PORT=8001",
            file=sys.stderr,
        )
        self.failed = True
        self.stop()
