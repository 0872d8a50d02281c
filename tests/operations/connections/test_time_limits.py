"""How long the server waits for a client."""

import pytest

from operations.connections import http_channel
from operations.connections.dropped import DROPPED
from operations.connections.http_channel import BODY_WINDOW, HEADER_TIMEOUT, KEEP_ALIVE, MIN_BODY, REJECTED_TIMEOUT
from tests.operations.connections.channel import Connection

HEADER = b"GET / HTTP/1.1\r\nHost: testserver\r\nX: "


@pytest.fixture
def connection() -> Connection:
    return Connection()


def drops(reason: str) -> float:
    return DROPPED.labels(reason)._value.get()


def test_a_silent_connection_is_closed(connection):
    connection.clock.advance(HEADER_TIMEOUT)
    assert not connection.is_open


def test_a_header_that_drips_is_closed(connection):
    before = drops("header")
    connection.send(HEADER)
    connection.drip(HEADER_TIMEOUT - 2)
    assert connection.is_open
    connection.clock.advance(2)
    assert connection.transport.disconnected
    assert drops("header") == before + 1


def test_the_header_of_a_later_request_has_the_same_limit(connection):
    connection.request()
    connection.clock.advance(KEEP_ALIVE / 2)
    connection.send(HEADER)
    connection.drip(HEADER_TIMEOUT)
    assert connection.transport.disconnected


def test_a_body_that_drips_is_closed(connection):
    before = drops("body")
    connection.request(length=100_000)
    connection.drip(BODY_WINDOW)
    assert connection.transport.disconnected
    assert drops("body") == before + 1


def test_a_chunked_body_that_drips_is_closed(connection):
    connection.send(b"POST / HTTP/1.1\r\nHost: testserver\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.drip(BODY_WINDOW, b"1\r\na\r\n")
    assert connection.transport.disconnected


def test_a_fast_start_does_not_allow_a_drip(connection):
    connection.request(length=1_000_000)
    connection.send(bytes(900_000))
    connection.drip(2 * BODY_WINDOW)
    assert connection.transport.disconnected


def test_a_body_at_100_kbit_per_second_arrives(connection):
    size = 1_000_000
    connection.request(length=size)
    connection.drip(2 * size / 25_000, bytes(25_000))
    assert connection.response.endswith(f"\r\n{size}")


def test_the_slowest_body_that_is_allowed_arrives(connection):
    windows = 5
    connection.request(length=windows * MIN_BODY)
    for _ in range(windows):
        connection.clock.advance(BODY_WINDOW - 1)
        connection.send(bytes(MIN_BODY))
        connection.clock.advance(1)
    assert connection.response.endswith(f"\r\n{windows * MIN_BODY}")


def test_a_connection_stays_open_for_its_next_request(connection):
    for _ in range(3):
        connection.request(body=b"body")
        connection.clock.advance(KEEP_ALIVE - 1)
    assert connection.response.count("200 OK") == 3
    connection.clock.advance(1)
    assert not connection.is_open


def test_the_application_has_no_time_limit(connection, monkeypatch):
    monkeypatch.setattr("tests.operations.connections.channel.Echo.process", lambda request: None)
    connection.request()
    connection.clock.advance(24 * 3600)
    assert connection.is_open


@pytest.mark.parametrize("more", ["", "Connection: close\r\n"])
def test_a_client_that_does_not_read_its_response_is_closed(connection, more):
    before = drops("response")
    connection.transport.dataBuffer = bytes(1_000)
    connection.request(more=more)
    connection.clock.pump([KEEP_ALIVE, KEEP_ALIVE])
    assert connection.transport.disconnected
    assert drops("response") == before + 1


def test_a_client_that_reads_a_long_response_slowly_gets_all_of_it(connection):
    connection.request()
    for unread in range(10_000, 0, -1_000):
        connection.transport.dataBuffer = bytes(unread)
        connection.clock.advance(KEEP_ALIVE)
        assert connection.is_open
    connection.transport.dataBuffer = b""
    connection.clock.advance(KEEP_ALIVE)
    assert not connection.is_open


def test_a_rejected_client_has_time_to_read_why(connection):
    connection.request(length=10**9)
    connection.clock.advance(REJECTED_TIMEOUT - 1)
    assert connection.is_open
    connection.clock.advance(1)
    assert connection.transport.disconnected


async def test_a_request_whose_credentials_cannot_be_checked_is_closed(connection, monkeypatch):
    monkeypatch.setattr(http_channel, "largest_body", lambda path: 10**9)
    connection.request("/v1/listen", length=10**8)
    connection.clock.advance(http_channel.CREDENTIALS_TIMEOUT)
    assert connection.transport.disconnected
    connection.lose()
