"""Which bodies are read, and after which check."""

import asyncio
import json
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.credentials.principal import AccessDenied, NotAuthenticated
from operations.connections import http_channel
from operations.connections.body_limit import DEFAULT_BODY, largest_body
from operations.connections.credentials import CannotAuthenticate
from operations.connections.http_channel import MAX_DISCARDED
from tests.operations.connections.channel import Connection
from tests.support.environment import ROOT

MIB = 1024 * 1024
LARGE_BODIES = {
    "api/asr-streaming": 32 * MIB,
    "api/v1/uploads/<uuid:pk>/content/": 8 * MIB,
    "inference": 200 * MIB,
    "v1/audio/transcriptions": 200 * MIB,
    "v1/audio/translations": 200 * MIB,
    "v1/listen": 200 * MIB,
    "voices/file.<slug:extension>": 100_000_000,
}
"""Every path that accepts more than `DEFAULT_BODY`. A limit belongs here only if the view needs that much."""


@pytest.fixture
def connection() -> Connection:
    return Connection()


@pytest.fixture
def denial(monkeypatch) -> list[AccessDenied | None]:
    """What the check of credentials returns."""
    result: list[AccessDenied | None] = [None]

    async def denial_of(headers: object, query: object) -> AccessDenied | None:
        return result[0]

    monkeypatch.setattr(http_channel, "denial_of", denial_of)
    return result


async def checked() -> None:
    """Let the check of credentials finish."""
    for _ in range(3):
        await asyncio.sleep(0)


def large_bodies(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, int]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from large_bodies(pattern, route)
        elif isinstance(pattern, URLPattern):
            view = pattern.callback
            if size := getattr(view, "max_body", 0) or getattr(getattr(view, "cls", None), "max_body", 0):
                yield route, size


def test_only_these_paths_accept_large_bodies():
    assert dict(large_bodies()) == LARGE_BODIES


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/v1/listen", 200 * MIB),
        ("/voices/file.mp3", 100_000_000),
        ("/api/v1/uploads/6f1c9b62-8f5e-4d0e-9f0a-0d6d8f6f9e11/content/", 8 * MIB),
        ("/%76%31/listen", 200 * MIB),
        ("/accounts/login/", DEFAULT_BODY),
        ("/api/v1/uploads/", DEFAULT_BODY),
        ("/no/such/page", DEFAULT_BODY),
        ("http://other.example.org/v1/listen", DEFAULT_BODY),
        ("*", DEFAULT_BODY),
        ("/%00%ff", DEFAULT_BODY),
    ],
)
def test_the_limit_of_a_path(path, size):
    assert largest_body(path) == size


def test_a_body_of_the_default_limit_is_read(connection):
    connection.request("/accounts/login/", bytes(DEFAULT_BODY))
    assert connection.response.endswith(f"\r\n{DEFAULT_BODY}")


def test_a_longer_body_is_rejected_before_it_is_sent(connection):
    connection.request("/accounts/login/", length=DEFAULT_BODY + 1)
    assert connection.response.startswith("HTTP/1.1 413 ")
    assert "<h1>The request is too large.</h1><p>The limit here is 1,048,576 bytes." in connection.response
    assert connection.transport.is_half_closed
    assert connection.channel.requests[0].content is None  # no file was opened


def test_no_more_of_a_rejected_body_is_read_than_of_an_accepted_one(connection):
    connection.request("/accounts/login/", length=10**9)
    sent = 0
    while connection.transport.producerState == "producing":
        connection.send(bytes(MIB // 16))
        sent += MIB // 16
    assert sent == MAX_DISCARDED + MIB // 16
    assert connection.channel.requests[0].content is None
    assert connection.response.count("HTTP/1.1") == 1


def test_a_chunked_body_is_counted(connection):
    connection.chunked("/accounts/login/", *[bytes(MIB // 4)] * 4)
    assert connection.response.endswith(f"\r\n{DEFAULT_BODY}")
    connection.transport.clear()
    connection.chunked("/accounts/login/", *[bytes(MIB // 4)] * 4, b"a")
    assert connection.response.startswith("HTTP/1.1 413 ")
    assert connection.response.count("HTTP/1.1") == 1


def test_a_large_chunk_is_counted_before_it_is_complete(connection):
    connection.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % 10**9)
    connection.send(bytes(DEFAULT_BODY), b"a", b"a")
    assert connection.response.startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("path", "key"),
    [("/v1/models", "error"), ("/v1/listen", "err_msg"), ("/api/v1/me/", "title"), ("/v2/x", "err_msg")],
)
def test_the_apis_get_json(connection, path, key):
    connection.request(path, length=10**9)
    header, _, body = connection.response.partition("\r\n\r\n")
    assert header.startswith("HTTP/1.1 413 ")
    assert "too large" in str(json.loads(body)[key])


def test_the_response_to_head_has_no_body(connection):
    connection.send(b"HEAD / HTTP/1.1\r\nHost: testserver\r\nContent-Length: 1000000000\r\n\r\n")
    assert connection.response.startswith("HTTP/1.1 413 ")
    assert connection.response.endswith("\r\n\r\n")


def test_a_client_that_asks_first_sends_no_body_that_is_too_large(connection):
    connection.request("/accounts/login/", length=10**9, more="Expect: 100-continue\r\n")
    assert connection.response.startswith("HTTP/1.1 413 ")


async def test_a_client_that_asks_first_may_continue_after_its_credentials_are_checked(connection, denial):
    connection.request("/v1/listen", length=2 * MIB, more="Expect: 100-continue\r\n")
    assert connection.response == ""
    await checked()
    assert connection.response == "HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(bytes(2 * MIB))
    assert connection.response.endswith(f"\r\n{2 * MIB}")


async def test_a_large_body_is_read_after_its_credentials_are_checked(connection, denial):
    connection.request("/v1/listen", length=2 * MIB)
    assert connection.transport.producerState == "paused"
    assert connection.channel.requests[0].content is None
    await checked()
    connection.send(bytes(2 * MIB))
    assert connection.response.endswith(f"\r\n{2 * MIB}")


async def test_what_arrives_with_the_header_is_read_after_the_check(connection, denial):
    header = b"POST /v1/listen HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * MIB)
    connection.send(header + bytes(MIB))
    await checked()
    connection.send(bytes(MIB))
    assert connection.response.endswith(f"\r\n{2 * MIB}")


async def test_nothing_of_a_large_body_is_stored_without_credentials(connection, denial):
    denial[0] = NotAuthenticated("No credentials were sent.")
    connection.request("/v1/audio/transcriptions", length=2 * MIB)
    await checked()
    connection.send(bytes(MIB))
    assert connection.response.startswith("HTTP/1.1 401 ")
    assert 'WWW-Authenticate: Bearer realm="api"' in connection.response
    assert connection.channel.requests[0].content is None


async def test_a_large_body_is_rejected_while_the_disk_has_no_room_for_it(connection, denial, monkeypatch):
    sizes = []
    monkeypatch.setattr(http_channel, "has_room_for_request", sizes.append)
    connection.request("/v1/listen", length=2 * MIB)
    await checked()
    assert connection.response.startswith("HTTP/1.1 507 ")
    assert (sizes, connection.channel.requests[0].content) == ([2 * MIB], None)


async def test_a_chunked_body_of_a_large_path_needs_credentials(connection, denial):
    denial[0] = NotAuthenticated("No credentials were sent.")
    connection.chunked("/v1/listen", b"audio")
    await checked()
    assert connection.response.startswith("HTTP/1.1 401 ")


async def test_a_client_is_asked_to_retry_if_the_database_is_unavailable(connection, denial):
    denial[0] = CannotAuthenticate()
    connection.request("/v1/listen", length=2 * MIB)
    await checked()
    assert connection.response.startswith("HTTP/1.1 503 ")
    assert "Retry-After: 5" in connection.response


async def test_a_connection_that_is_lost_during_the_check_is_left_alone(connection, denial):
    connection.request("/v1/listen", length=2 * MIB)
    connection.lose()
    await checked()
    assert connection.response == ""


async def test_reading_goes_on_only_after_the_check(connection, denial):
    connection.request("/v1/listen", length=2 * MIB)
    connection.channel.resumeProducing()  # as Twisted does when the client has read an earlier response
    assert connection.transport.producerState == "paused"
    await checked()
    assert connection.transport.producerState == "producing"


def test_a_small_body_needs_no_check(connection):
    connection.request("/v1/listen", bytes(DEFAULT_BODY))
    assert connection.response.endswith(f"\r\n{DEFAULT_BODY}")


def test_pipelined_requests_are_answered_in_order(connection):
    one = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na"
    connection.send(one + one.replace(b"Length: 1", b"Length: 1000000000") + one)
    first, second = connection.response.split("HTTP/1.1 ")[1:]
    assert first.startswith("200 ")
    assert second.startswith("413 ")


def test_forms_are_left_to_django(connection):
    """Twisted would answer 400 to this one itself."""
    connection.request("/", b"not a form", more="Content-Type: multipart/form-data; boundary=a\r\n")
    assert "200 OK" in connection.response


@pytest.mark.parametrize(
    ("file", "limit"),
    [
        ("nginx.conf", "client_max_body_size 200m;"),
        ("Caddyfile", "max_size 200MiB"),
        ("kubernetes/web.yaml", "proxy-body-size: 200m"),
    ],
)
def test_the_shipped_proxies_allow_the_largest_body(file, limit):
    """All of them mean MiB."""
    assert max(LARGE_BODIES.values()) == 200 * MIB
    assert limit in (ROOT / "deploy" / file).read_text()
