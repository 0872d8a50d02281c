"""How many connections an address can have."""

import pytest

from operations.connections.address_limit import AddressLimit
from operations.connections.dropped import MAX_CLIENTS, REASONS, DropLog
from operations.connections.websocket import BoundedSocket
from tests.operations.connections.channel import Connection, Transport

PROXY = "10.0.0.1"


@pytest.fixture
def limit() -> AddressLimit:
    return AddressLimit(3, lambda address: address == PROXY)


def connections(limit: AddressLimit, count: int = 3, address: str = "198.51.100.7") -> list[Connection]:
    return [Connection(address, limit) for _ in range(count)]


def are_open(*connections: Connection) -> list[bool]:
    return [connection.is_open for connection in connections]


def test_an_address_has_a_limit(limit):
    assert are_open(*connections(limit, 5)) == [True] * 3 + [False] * 2


def test_addresses_are_counted_separately(limit):
    connections(limit)
    assert Connection("198.51.100.8", limit).is_open


def test_a_proxy_has_no_limit(limit):
    assert are_open(*connections(limit, 5, PROXY)) == [True] * 5


def test_zero_is_no_limit():
    assert are_open(*connections(AddressLimit(0, lambda _: False), 500)) == [True] * 500


@pytest.mark.parametrize(
    ("address", "is_counted_together"),
    [("2001:db8:1:2:ffff::9", True), ("2001:db8:1:3::1", False), ("198.51.100.7", False)],
)
def test_a_network_of_ipv6_is_counted_as_one_address(limit, address, is_counted_together):
    for number in range(3):
        limit.admit(Transport(f"2001:db8:1:2::{number}"))
    assert limit.admit(Transport(address)) is not is_counted_together


def test_a_connection_that_ends_makes_room(limit):
    first, *_ = connections(limit)
    first.lose()
    assert Connection(address_limit=limit).is_open


def test_a_new_connection_replaces_the_one_that_was_idle_longest(limit):
    first, second, third = connections(limit)
    second.request()
    first.request()
    assert Connection(address_limit=limit).is_open
    assert are_open(first, second, third) == [True, False, True]


def test_a_connection_with_a_new_request_is_not_idle(limit):
    first, *others = connections(limit)
    first.request()
    first.send(b"GET")
    assert not Connection(address_limit=limit).is_open
    assert are_open(first, *others) == [True] * 3


def test_a_response_that_is_being_read_is_not_interrupted(limit):
    for connection in connections(limit):
        connection.transport.dataBuffer = b"unread"
        connection.request()
    assert not Connection(address_limit=limit).is_open


class Socket(BoundedSocket):
    def __init__(self, limit: AddressLimit, transport: Transport) -> None:
        super().__init__()
        self.factory = type("Factory", (), {"server_class": type("Server", (), {"address_limit": limit})})
        self.transport, self.state = transport, self.STATE_OPEN


def test_a_websocket_is_not_counted_between_its_handshake_and_its_end(limit, monkeypatch):
    monkeypatch.setattr("daphne.ws_protocol.WebSocketProtocol.onOpen", lambda socket: None)
    monkeypatch.setattr("operations.connections.websocket.BoundedSocket._set_up_sending", lambda socket: None)
    monkeypatch.setattr("autobahn.websocket.protocol.WebSocketProtocol.sendClose", lambda *_: None)
    first, *_ = connections(limit)
    socket = Socket(limit, first.transport)
    socket.onOpen()
    second = Transport()
    assert limit.admit(second)
    limit.release(second)
    socket.sendClose(1000)
    assert not limit.admit(Transport())
    monkeypatch.setattr("autobahn.twisted.websocket.WebSocketServerProtocol.connectionLost", lambda *_: None)
    socket.connectionLost(None)
    socket.state = socket.STATE_CLOSED
    socket.sendClose(1000)
    assert limit.admit(Transport())


def test_a_client_is_logged_once_a_minute(caplog):
    now = [0.0]
    log = DropLog(lambda: now[0])
    for now[0] in (0, 1, 59, 60, 61):
        log.add("header", "198.51.100.7")
    log.add("body", "198.51.100.8")
    sent = [record.getMessage() for record in caplog.records]
    assert sent == [f"client 198.51.100.7 {REASONS['header']}; closing its connection"] * 2 + [
        f"client 198.51.100.8 {REASONS['body']}; closing its connection"
    ]


def test_the_log_remembers_a_limited_number_of_clients():
    log = DropLog()
    for number in range(3 * MAX_CLIENTS):
        log.add("header", str(number))
    assert len(log._logged_at) <= MAX_CLIENTS
