"""A connection of the server, its client and its clock, without a socket."""

from types import SimpleNamespace

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from operations.connections.address_limit import AddressLimit
from operations.connections.http_channel import LimitedChannel, LimitedRequest

CLIENT = "198.51.100.7"


class Transport(StringTransport):
    """A connection of a client that reads nothing if `dataBuffer` is set."""

    dataBuffer = b""
    offset = _tempDataLen = 0
    is_half_closed = False

    def __init__(self, address: str = CLIENT) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", address, 1024), lenient=True)

    def loseWriteConnection(self) -> None:
        self.is_half_closed = True


class Echo(LimitedRequest):
    """Responds with the size of its body."""

    def process(self) -> None:
        self.setHeader(b"Content-Length", b"%d" % len(size := b"%d" % len(self.content.read())))
        self.write(size)
        self.finish()


class Connection:
    """A client's connection to the server; `now` of its clock is the time since it was made."""

    def __init__(self, address: str = CLIENT, address_limit: AddressLimit | None = None) -> None:
        self.clock, self.transport = Clock(), Transport(address)
        self.channel = LimitedChannel()
        self.channel.factory = SimpleNamespace(
            log=lambda _: None,
            server=SimpleNamespace(
                address_limit=address_limit or AddressLimit(0, lambda _: False),
                protocol_connected=lambda _: None,
                protocol_disconnected=lambda _: None,
            ),
        )
        self.channel.requestFactory, self.channel.callLater = Echo, self.clock.callLater
        self.channel.makeConnection(self.transport)

    def send(self, *parts: bytes) -> None:
        for part in parts:
            if part and self.transport.producerState == "producing":
                self.channel.dataReceived(part)

    def request(self, path: str = "/", body: bytes = b"", *, length: int | None = None, more: str = "") -> None:
        """Send a POST request. `length`: another Content-Length than that of the body. `more`: further header lines."""
        size = len(body) if length is None else length
        self.send(f"POST {path} HTTP/1.1\r\nHost: testserver\r\nContent-Length: {size}\r\n{more}\r\n".encode(), body)

    def chunked(self, path: str, *chunks: bytes) -> None:
        self.send(f"POST {path} HTTP/1.1\r\nHost: testserver\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        self.send(*(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks), b"0\r\n\r\n")

    def drip(self, seconds: float, data: bytes = b"a") -> None:
        """Send data every two seconds."""
        for _ in range(int(seconds / 2)):
            self.clock.advance(2)
            self.send(data)

    def lose(self) -> None:
        self.channel.connectionLost(Failure(ConnectionDone()))

    @property
    def response(self) -> str:
        return self.transport.value().decode()

    @property
    def is_open(self) -> bool:
        return not self.transport.disconnecting
