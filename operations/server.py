"""Daphne with this site's limits, back-pressure, graceful shutdown and messages."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import Any

import daphne.server
from channels.routing import get_default_application
from daphne.endpoints import build_endpoint_description_strings
from daphne.server import Server as Daphne
from daphne.ws_protocol import WebSocketFactory
from django.conf import settings
from twisted.internet import reactor as twisted_reactor
from twisted.logger import STDLibLogObserver, globalLogPublisher

from dsm_site.proxy_headers import parsed_address
from operations.connections.address_limit import AddressLimit
from operations.connections.http_channel import LimitedFactory
from operations.connections.send_buffer import ResponseBuffer
from operations.connections.websocket import BoundedSocket
from speech.gateway.drain import drain_streams

reactor: Any = twisted_reactor  # the type stubs don't cover it

MAX_API_MESSAGE = 1024 * 1024
"""Bytes per message from an API client: five seconds of audio in the encoding of Kyutai's clients, which may send
that much in one message."""


class Server(Daphne):
    """`run` serves until a signal, and returns when all connections have ended, or with `failed` if it can't listen."""

    def __init__(self, host: str, port: int, on_stop_requested: Callable[[], None]) -> None:
        self._address = f"{host}:{port}"
        self._on_stop_requested = on_stop_requested
        self.failed = False
        self._draining: asyncio.Future[None] | None = None
        self._ports: list[Any] = []
        self.address_limit = AddressLimit(settings.CONNECTIONS_PER_ADDRESS, _is_shared)
        _use_limited_connections()
        _log_events_of_twisted()
        super().__init__(
            application=get_default_application(),
            endpoints=build_endpoint_description_strings(host=host, port=port),
            websocket_max_message_size=MAX_API_MESSAGE,
            websocket_max_frame_size=MAX_API_MESSAGE,
            server_name="speech",
            signal_handlers=False,  # see `_handle_signals`
        )

    # Start.

    def run(self) -> None:
        reactor.callWhenRunning(self._handle_signals)
        super().run()

    def listen_success(self, port: Any) -> None:
        """Keep the port for `_stop`. Daphne keeps its address only."""
        super().listen_success(port)
        self._ports.append(port)

    def listen_error(self, failure: Any) -> None:
        """Say what to do, and set `failed`. Daphne only logs the error, and its `run` returns as after a normal stop:
        the process would exit with 0. https://github.com/django/daphne/issues/577"""
        print(
            f"Can't listen on {self._address}: {failure.getErrorMessage()}\n"
            "The port may be in use. Stop the other program or choose another port: make serve PORT=8001",
            file=sys.stderr,
        )
        self.failed = True
        self.stop()

    # Connections.

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Give consumers flow control: pausing what the client sends, and waiting until it has read. ASGI and Daphne
        have none. https://github.com/django/daphne/issues/170

        `client_addr` is only for the log; the application gets the client's address from its own middleware."""
        protocol.client_addr = settings.TRUSTED_PROXIES.client_of(scope)
        if isinstance(protocol, BoundedSocket):
            transport, buffer = protocol.transport, protocol.send_buffer
            scope["extensions"] = {
                "reading": {"pause": transport.pauseProducing, "resume": transport.resumeProducing},
                "writing": {"drained": buffer.drained, "is_full": lambda: buffer.is_full},
                "websocket.http.response": {},
            }
        return super().create_application(protocol, scope)

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Send a reply; return from a part of an HTTP response when the client has read it (see `ResponseBuffer`)."""
        has_more = message["type"] == "http.response.body" and message.get("more_body", False)
        buffer: ResponseBuffer | None = getattr(protocol, "response_buffer", None)
        if buffer and not has_more:
            buffer.unregister()
        await super().handle_reply(protocol, message)
        if has_more and protocol.channel and not protocol.finished:
            if not buffer:
                buffer = protocol.response_buffer = ResponseBuffer(protocol)
            await buffer.wait_until_read()

    # Stop.

    def _handle_signals(self) -> None:
        """Stop gracefully. Twisted's handlers, which Daphne uses, end all connections at once.
        https://github.com/django/daphne/issues/177"""
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

    def kill_all_applications(self) -> Any:
        """End all applications. Daphne's own raises `KeyError` and ends none if the application of one connection has
        already ended, so those get one that is done. Not reported."""
        ended: asyncio.Future[None] = asyncio.get_event_loop().create_future()
        ended.set_result(None)
        for details in self.connections.values():
            details.setdefault("application_instance", ended)
        return super().kill_all_applications()


def _use_limited_connections() -> None:
    """Set the classes of connections. Daphne has no option for them. Not reported."""
    daphne.server.HTTPFactory = LimitedFactory
    WebSocketFactory.protocol = BoundedSocket


def _is_shared(address: str) -> bool:
    """Whether the connections of an address can be those of many clients: a proxy's, or one of this machine, where
    tunnels end."""
    parsed = parsed_address(address)
    return parsed is None or parsed.is_loopback or address in settings.TRUSTED_PROXIES


def _log_events_of_twisted() -> None:
    """Send Twisted's log to Python's. Daphne discards it, including unhandled errors, unless its verbosity is above 1;
    then it also redirects standard output into the log. https://github.com/django/daphne/pull/45"""
    observer: Any = STDLibLogObserver()
    globalLogPublisher.addObserver(observer)
