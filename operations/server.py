"""Daphne with this site's bounds and words."""

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
reactor: Any = twisted_reactor  # its type stubs do not know what it is

MAX_MESSAGE = 64 * 1024
"""Bytes; a socket that sends more at once is closed with 1009."""
MAX_API_MESSAGE = 1024 * 1024
"""Of a program's: five seconds of audio as Kyutai's clients send it, who are used to sending one at once."""
PAGES = ("/ws/live/", "/ws/voices/")

MAX_UNREAD = 256 * 1024
"""Bytes that wait for a client to read them; beyond, its socket is closed, and it may come back for its session."""
READ_TIMEOUT = 60.0
"""Seconds in which a client has taken a part of what it asked for."""
SEND_BUFFER = 64 * 1024
"""Bytes the kernel holds for a client. More than a minute of words; its own default are megabytes."""


class BoundedSocket(WebSocketProtocol):
    """A WebSocket that expects to be read. Daphne would hold what is told to a client that does not for ever."""

    _unread: int | None = None  # bytes told since its buffer is full; None: it is not

    dataReceived = WebSocketProtocol._dataReceived
    """Autobahn's own puts together a coloured line for a log that nobody reads, with every frame of every stream."""

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
        self.transport.unregisterProducer()  # the HTTP channel, which would only stop listening to the client
        self.transport.registerProducer(self, True)
        if isinstance(self.transport, FileDescriptor):
            write_at_once(self.transport)

    def pauseProducing(self) -> None:
        self._unread = self._unread or 0
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._unread = None
        self._has_room.set()

    async def drained(self) -> None:
        await self._has_room.wait()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:  # else nobody waits for it any more
            super().onMessage(payload, isBinary)

    def serverClose(self, code: int | None = None) -> None:
        """Autobahn would cut it off a second later, whatever of the last words or sound is still on its way."""
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
            logger.warning("%s does not read what it is told, its socket is closed", self.client_addr)
            self.sendClose(int(CloseCode.TOO_SLOW), "You read too slowly.")
        else:
            super().serverSend(content, binary)


def write_at_once(transport: Any) -> None:
    """Twisted would wait until the socket can be written to, with every frame of every stream, and it nearly always
    can: so that is waited for only with what remains."""
    write, stop_writing = transport.write, transport.stopWriting
    waits = True  # the answer to the handshake, perhaps: the first message goes Twisted's way, after it

    def write_what_can_be(data: bytes) -> None:
        nonlocal waits
        if transport.connected and not waits:
            written = transport.writeSomeData(data)
            data = (
                data[written:] if isinstance(written, int) else data
            )  # what went wrong will again, where it is seen to
        if data:
            waits = True
            write(data)

    def stop_waiting() -> None:
        nonlocal waits
        waits = False
        stop_writing()

    transport.write, transport.stopWriting = write_what_can_be, stop_waiting


class ClientBackpressure:
    """Has the parts of an HTTP body wait until their client has read those before; Daphne would hold them all, and a
    recording of an hour has a hundred megabytes."""

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
            logger.warning("%s does not read what it asked for, its connection is closed", self._request.client_addr)
            self._request.channel.forceAbortClient()

    def pauseProducing(self) -> None:
        self._has_room.clear()

    def resumeProducing(self) -> None:
        self._has_room.set()

    stopProducing = resumeProducing


class Server(Daphne):
    def __init__(self, host: str, port: int, when_told_to_end: Callable[[], None]) -> None:
        WebSocketFactory.protocol = BoundedSocket
        self._where = f"{host}:{port}"
        self._stop_requested = when_told_to_end
        self.failed = False
        self._ending: asyncio.Future[None] | None = None
        self._ports: list[Any] = []
        observer: Any = STDLibLogObserver()
        globalLogPublisher.addObserver(observer)  # Daphne throws Twisted's log away, errors and all
        super().__init__(
            application=get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            websocket_max_message_size=MAX_API_MESSAGE,
            websocket_max_frame_size=MAX_API_MESSAGE,
            server_name="speech",
            signal_handlers=False,  # Twisted's end at once
        )

    def run(self) -> None:
        reactor.callWhenRunning(self._await_stop)
        super().run()

    def _await_stop(self) -> None:
        loop = asyncio.get_event_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop)

    def _stop(self) -> None:
        """The first time when all streams are finished, the second time at once."""
        if self._ending is not None:
            self._ending.cancel()
            return
        self._stop_requested()
        for port in self._ports:
            port.stopListening()  # whoever comes back finds another process, or this one when it is up again
        self._ending = asyncio.ensure_future(drain_streams())
        self._ending.add_done_callback(lambda _: self.stop())

    def listen_success(self, port: Any) -> None:
        super().listen_success(port)
        self._ports.append(port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        if isinstance(protocol, BoundedSocket):
            # Daphne reads and writes on whatever happens: a consumer must be able to tell, and to ask.
            transport = protocol.transport
            scope["extensions"] = {
                "reading": {"stop": transport.pauseProducing, "go on": transport.resumeProducing},
                "writing": {"drained": protocol.drained},
            }
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        is_part = message["type"] == "http.response.body" and message.get("more_body", False)
        if not is_part and getattr(protocol, "slow_reader", None) and protocol.channel:
            protocol.unregisterProducer()
        await super().handle_reply(protocol, message)
        if is_part and protocol.channel and not protocol.finished:
            if not getattr(protocol, "slow_reader", None):
                protocol.slow_reader = ClientBackpressure(protocol)
            await protocol.slow_reader.wait()

    def kill_all_applications(self) -> Any:
        """Daphne's own fails, and ends none, if there is a connection whose application has ended already."""
        ended: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        ended.set_result(None)
        for details in self.connections.values():
            details.setdefault("application_instance", ended)
        return super().kill_all_applications()

    def listen_error(self, failure: Any) -> None:
        print(
            f"The site cannot listen on {self._where}: {failure.getErrorMessage()}\n"
            "Something else may be running there. Stop it, or choose another port: make serve PORT=8001",
            file=sys.stderr,
        )
        self.failed = True
        self.stop()
