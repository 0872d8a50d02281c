"""Connections to clients that read slowly. tests/speech/dialects/test_slow_reader.py has real ones."""

import asyncio
from types import SimpleNamespace

import pytest
from daphne.server import Server as Daphne
from twisted.internet.abstract import FileDescriptor
from twisted.internet.testing import MemoryReactor

from operations.connections import send_buffer
from operations.connections.immediate_writes import write_immediately
from operations.connections.send_buffer import ResponseBuffer, SendBuffer
from operations.connections.websocket import MAX_UNREAD, BoundedSocket
from operations.server import Server
from speech.errors import CloseCode


class Transport(FileDescriptor):
    """A connection whose kernel accepts `room` bytes; `received` are those that it has accepted."""

    connected = True

    def __init__(self) -> None:
        super().__init__(MemoryReactor())
        self.received = b""
        self.room = 10

    def writeSomeData(self, data: bytes) -> int:
        written = data[: self.room]
        self.received += written
        self.room -= len(written)
        return len(written)


@pytest.fixture
def transport() -> Transport:
    return Transport()


@pytest.fixture
def open_transport(transport) -> Transport:
    """One that writes immediately, after the handshake."""
    write_immediately(transport)
    transport.write(b"handshake ")
    transport.doWrite()
    transport.received, transport.room = b"", 10
    return transport


def test_the_first_message_is_written_after_the_handshake(transport):
    transport.write(b"hand")
    write_immediately(transport)
    transport.write(b"first")
    assert transport.received == b""
    transport.doWrite()
    assert transport.received == b"handfirst"


def test_a_message_is_written_immediately(open_transport):
    open_transport.write(b"word")
    assert open_transport.received == b"word"
    assert not open_transport.reactor.writers


def test_what_does_not_fit_follows_in_order(open_transport):
    for message in (b"first ", b"second ", b"third"):
        open_transport.write(message)
    assert open_transport.received == b"first seco"
    open_transport.room = 100
    open_transport.doWrite()
    assert open_transport.received == b"first second third"
    open_transport.write(b".")
    assert open_transport.received == b"first second third."


def test_the_send_buffer_is_full_until_the_client_reads(open_transport):
    buffer = SendBuffer()
    open_transport.registerProducer(buffer, True)
    open_transport.write(bytes(open_transport.bufferSize + 100))
    assert buffer.is_full
    open_transport.room = 2 * open_transport.bufferSize
    open_transport.doWrite()
    assert not buffer.is_full


class Socket(BoundedSocket):
    """An open one that keeps what it sends."""

    client_addr = "client"

    def __init__(self) -> None:
        super().__init__()
        self.state = self.STATE_OPEN
        self.sent: list[bytes] = []
        self.closed: list[int] = []

    def sendMessage(self, payload: bytes, isBinary: bool = False, *args: object) -> None:
        self.sent.append(payload)

    def sendClose(self, code: int | None = None, reason: str | None = None) -> None:
        self.closed.append(code or 0)


def test_a_client_that_does_not_read_is_closed():
    socket = Socket()
    socket.send_buffer.pauseProducing()
    socket.serverSend(bytes(MAX_UNREAD), True)
    assert socket.closed == []
    socket.serverSend(b"more", True)
    assert socket.closed == [CloseCode.TOO_SLOW]
    assert len(socket.sent) == 1


def test_a_client_that_has_read_can_be_sent_as_much_again():
    socket = Socket()
    for _ in range(3):
        socket.send_buffer.pauseProducing()
        socket.serverSend(bytes(MAX_UNREAD), True)
        socket.send_buffer.resumeProducing()
        socket.serverSend(b"", True)
    assert socket.closed == []


def test_messages_after_the_close_are_discarded():
    socket = Socket()
    socket.state = socket.STATE_CLOSING
    socket.onMessage(b"late", True)  # with no `application_queue`, delivering it would fail


class Request:
    """An HTTP request whose response has a producer, or none."""

    client_addr = "client"
    finished = False

    def __init__(self) -> None:
        self.producer: SendBuffer | None = None
        self.is_aborted = False
        self.channel = SimpleNamespace(forceAbortClient=self._abort)

    def _abort(self) -> None:
        self.is_aborted = True

    def registerProducer(self, producer: SendBuffer, streaming: bool) -> None:
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None


PART = {"type": "http.response.body", "body": b"audio", "more_body": True}
LAST = {"type": "http.response.body", "body": b"audio"}


async def test_the_next_part_of_a_response_waits_for_the_client(monkeypatch):
    async def write(self, request, message):
        """Not tested here."""

    monkeypatch.setattr(Daphne, "handle_reply", write)
    server, request = object.__new__(Server), Request()
    await server.handle_reply(request, PART)
    request.producer.pauseProducing()
    second = asyncio.create_task(server.handle_reply(request, PART))
    await asyncio.sleep(0.01)
    assert not second.done()
    request.producer.resumeProducing()
    await second
    await server.handle_reply(request, LAST)
    assert request.producer is None
    assert not request.is_aborted


async def test_a_client_that_does_not_read_its_response_is_aborted(monkeypatch):
    monkeypatch.setattr(send_buffer, "READ_TIMEOUT", 0.01)
    request = Request()
    buffer = ResponseBuffer(request)
    buffer.pauseProducing()
    await buffer.wait_until_read()
    assert request.is_aborted
