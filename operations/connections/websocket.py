"""WebSockets with limits."""

import logging
from http import HTTPStatus
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

from daphne.ws_protocol import WebSocketProtocol
from twisted.internet.abstract import FileDescriptor

from operations.connections.address_limit import AddressLimit
from operations.connections.immediate_writes import write_immediately
from operations.connections.rejection import last_response
from operations.connections.send_buffer import READ_TIMEOUT, SendBuffer
from speech.errors import CloseCode, InternalError

logger = logging.getLogger(__name__)

PAGES = ("/ws/live/", "/ws/voices/")
MAX_PAGE_MESSAGE = 64 * 1024
"""Bytes per message from a page; a WebSocket that sends more is closed with 1009."""

KERNEL_BUFFER = 64 * 1024
"""Bytes of the kernel's send buffer per client. More than a minute of words; the kernel's default is megabytes."""
MAX_UNREAD = 256 * 1024
"""Bytes buffered for a slow client. Above this its WebSocket is closed; it can reconnect to its session."""


class BoundedSocket(WebSocketProtocol):
    """A WebSocket with limits in both directions, in the order of its life."""

    def __init__(self) -> None:
        super().__init__()
        self.send_buffer = SendBuffer()
        self._unread = 0  # bytes sent since the send buffer filled up
        self._close_reason: str | None = None
        self._denial: dict[str, Any] = {}  # the response to a handshake that the application denies

    def onConnect(self, request: Any) -> Any:
        """Limit the messages of pages. Daphne has one limit for all paths, which must fit API clients. Not reported."""
        if request.path in PAGES:
            self.maxMessagePayloadSize = self.maxFramePayloadSize = MAX_PAGE_MESSAGE
        return super().onConnect(request)

    def onOpen(self) -> None:
        super().onOpen()
        self._address_limit.release(self.transport)
        self._set_up_sending()

    def _set_up_sending(self) -> None:
        self.transport.getHandle().setsockopt(SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER)
        self._register_send_buffer()
        if isinstance(self.transport, FileDescriptor):
            write_immediately(self.transport)

    def _register_send_buffer(self) -> None:
        """Replace the transport's producer. Daphne leaves the HTTP channel of the handshake registered, which stops
        reading from a client that does not read. https://github.com/django/daphne/issues/170"""
        self.transport.unregisterProducer()
        self.transport.registerProducer(self.send_buffer, True)

    dataReceived = WebSocketProtocol._dataReceived
    """Autobahn's own prepares a debug line for every frame of every stream, although it is never logged, and then calls
    this. Not reported."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Discard messages that arrive after the server's close. Autobahn delivers them, and Daphne queues them for an
        application that doesn't receive any more. Not reported."""
        if self.state == self.STATE_OPEN:
            super().onMessage(payload, isBinary)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        """Send a message, or close the WebSocket of a client that does not read: Daphne's buffer for it grows without
        limit. https://github.com/django/daphne/issues/170"""
        if self.state in (self.STATE_CLOSING, self.STATE_CLOSED):
            return
        self._unread = self._unread + len(content) if self.send_buffer.is_full else 0
        if self._unread > MAX_UNREAD:
            logger.warning("client %s reads too slowly; closing its WebSocket", self.client_addr)
            self.sendClose(int(CloseCode.TOO_SLOW), "You read too slowly.")
        else:
            super().serverSend(content, binary)

    def sendClose(self, code: int | None = None, reason: str | None = None) -> None:
        """Count the connection again: the server waits for the client's part of the close."""
        if self.state == self.STATE_OPEN:
            self._address_limit.count(self.transport)
        super().sendClose(code, reason)

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Keep the reason to close, which Daphne omits, and deny a handshake with the response of the application, for
        which Daphne lacks the extension. Not reported."""
        match message["type"]:
            case "websocket.http.response.start":
                self._denial = message
            case "websocket.http.response.body":
                self._denial |= {"body": message.get("body", b"")}
                self.serverReject()
            case _:
                self._close_reason = message.get("reason")
                super().handle_reply(message)

    def sendHttpErrorResponse(self, code: int, reason: str, responseHeaders: Any = None) -> None:
        """Send the response of the application, if it denied the handshake with one."""
        if not self._denial:
            return super().sendHttpErrorResponse(code, reason, responseHeaders)
        headers = {name.decode("latin1"): value.decode("latin1") for name, value in self._denial["headers"]}
        return self.sendData(last_response(HTTPStatus(self._denial["status"]), headers, self._denial["body"]))

    def handle_exception(self, exception: BaseException) -> None:
        """Say why the WebSocket ends. Daphne closes with 1011 and no reason. Not reported."""
        if self.state == self.STATE_OPEN:
            self.sendClose(int(CloseCode.FAILED), InternalError.what)
        else:
            super().handle_exception(exception)

    def serverClose(self, code: int | None = None) -> None:
        """Give the client time to read what is in flight. Autobahn drops the connection a second after its close frame,
        and Daphne has no option for it. Not reported."""
        self.closeHandshakeTimeout = READ_TIMEOUT
        self.sendClose(int(CloseCode.DONE) if code is None else code, self._close_reason)

    def onClose(self, wasClean: bool, code: int, reason: str) -> None:
        """Let the application end if it waits for the client to read."""
        self.send_buffer.stopProducing()
        super().onClose(wasClean, code, reason)

    def connectionLost(self, reason: Any) -> None:
        self._address_limit.release(self.transport)
        super().connectionLost(reason)

    @property
    def _address_limit(self) -> AddressLimit:
        limit: AddressLimit = self.factory.server_class.address_limit  # Daphne's name for its server
        return limit
