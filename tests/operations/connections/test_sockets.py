"""Limits of a running site. How long it waits is not measured, only that it ends the connection."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from speech.uploads.service import MAX_PART
from tests.operations.connections.strict_site import CONNECTIONS, StrictSite
from tests.support.clients.api import wav_of
from tests.support.clients.http import request
from tests.support.clients.tokens import issue_token
from tests.support.servers.nginx import Nginx
from tests.support.servers.site import Site
from tests.support.speech.checksum_audio import noise

PATIENCE = 30.0
"""Seconds after which a test fails."""
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def strict_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StrictSite]:
    site = StrictSite(tmp_path_factory.mktemp("site"))
    try:
        site.wait_until_ready()
        yield site
    finally:
        site.stop()
        print(site.log)
    site.assert_no_bugs()


@pytest.fixture(scope="module")
def uploads_token(checksum_site: Site) -> str:
    return issue_token(checksum_site, "--scopes", "sessions,stt", email="uploader@example.org")


def open_socket(site: Site) -> socket.socket:
    address = urlsplit(site.url)
    return socket.create_connection((address.hostname, address.port), PATIENCE)


def is_closed(connection: socket.socket, drip: bytes = b"") -> bool:
    """Whether the server ends the connection while the client sends `drip` every tenth of a second, or nothing."""
    connection.settimeout(0.1)
    for _ in range(int(PATIENCE / 0.1)):
        try:
            if drip:
                connection.sendall(drip)
            if not connection.recv(1000):
                return True
        except TimeoutError:
            continue
        except OSError:
            return True
    return False


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


# --- Time ---------------------------------------------------------------------------------------------------------


SLOW_CLIENTS = {
    "silent": (b"", b""),
    "header": (b"GET / HTTP/1.1\r\nX: ", b"a"),
    "body": (head("/accounts/login/", "Content-Length: 1000000"), b"a"),
    "silent body": (head("/accounts/login/", "Content-Length: 1000000"), b""),
    "chunks": (head("/", "Transfer-Encoding: chunked"), b"1\r\na\r\n"),
    "handshake": (head("/ws/pcm", "Upgrade: websocket", "Connection: Upgrade", "Content-Length: 9999"), b"a"),
}
"""What each sends at first, and then again and again."""


def test_a_client_that_is_too_slow_is_closed(strict_site):
    def is_ended(start: bytes, drip: bytes) -> bool:
        with open_socket(strict_site) as connection:
            connection.sendall(start)
            return is_closed(connection, drip)

    with ThreadPoolExecutor(len(SLOW_CLIENTS)) as threads:
        ended = threads.map(is_ended, *zip(*SLOW_CLIENTS.values(), strict=True))
    assert dict(zip(SLOW_CLIENTS, ended, strict=True)) == dict.fromkeys(SLOW_CLIENTS, True)


def test_a_websocket_whose_frame_does_not_end_is_closed(strict_site):
    token = issue_token(strict_site)
    with connect(f"{strict_site.url.replace('http', 'ws')}/ws/pcm?token={token}") as client:
        connection = client.socket.dup()
        client.socket.sendall(b"\x82\xfe\x10\x00mask")  # a binary frame of 4,096 bytes
        for _ in range(int(PATIENCE / 0.1)):
            try:
                connection.sendall(b"a")
                client.recv(0.1)
            except TimeoutError:
                continue
            except Exception:  # websockets' own, or the socket's
                break
        else:
            pytest.fail("The WebSocket is still open.")
        connection.close()


# --- Connections --------------------------------------------------------------------------------------------------


def test_an_address_has_a_limit_of_connections_but_websockets_in_use_do_not_count(strict_site):
    token = issue_token(strict_site)
    with ExitStack() as stack:
        for _ in range(CONNECTIONS + 2):
            stack.enter_context(connect(f"{strict_site.url.replace('http', 'ws')}/ws/pcm?token={token}"))
        silent = [stack.enter_context(open_socket(strict_site)) for _ in range(CONNECTIONS + 20)]
        assert is_closed(silent[-1])
        for connection in silent:
            connection.close()
        strict_site.web.wait_until(lambda: drops(strict_site, "connections") > 0)


def drops(site: Site, reason: str) -> float:
    """The site's count; 0 if it has too many connections to say."""
    try:
        metrics = request(site, "/metrics").body.decode()
    except OSError:
        return 0
    return float(metrics.partition(f'speech_connections_dropped_total{{reason="{reason}"}} ')[2].partition("\n")[0])


# --- Bodies -------------------------------------------------------------------------------------------------------


def test_a_body_flood_is_answered_before_it_is_read(strict_site):
    size, sent = 600 * MIB, 0
    with open_socket(strict_site) as connection:
        connection.sendall(head("/accounts/login/", f"Content-Length: {size}"))
        response = connection.recv(1000)
        with suppress(OSError):
            while sent < size:
                sent += connection.send(bytes(MIB))
    assert response.startswith(b"HTTP/1.1 413 ")
    assert sent < size / 10  # what the kernels of both sides buffer
    assert drops(strict_site, "too_large") > 0


def put_part(site: Site, token: str, upload: str, size: int, body: bytes = b"") -> int:
    connection = HTTPConnection(urlsplit(site.url).netloc, timeout=PATIENCE)
    path = f"/api/v1/uploads/{upload}/content/?offset=0"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/octet-stream"}
    connection.putrequest("PUT", path)
    for name, value in {**headers, "Content-Length": str(size)}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_part_of_the_largest_size_is_stored_and_a_larger_one_is_not_read(checksum_site, uploads_token):
    headers = {"Authorization": f"Bearer {uploads_token}"}
    body = {"name": "large.wav", "size": 2 * MAX_PART}
    upload = request(checksum_site, "/api/v1/uploads/", body, **headers).json
    assert put_part(checksum_site, uploads_token, upload["id"], MAX_PART + 1) == 413
    assert put_part(checksum_site, "dsm_unknown", upload["id"], MAX_PART) == 401
    assert put_part(checksum_site, uploads_token, upload["id"], MAX_PART, bytes(MAX_PART)) == 200
    received = request(checksum_site, f"/api/v1/uploads/{upload['id']}/", **headers).json["received"]
    assert received == MAX_PART


@pytest.mark.parametrize("transfer", ["Content-Length", "chunked"])
def test_a_recording_is_transcribed_once_its_sender_is_known(checksum_site, uploads_token, transfer):
    wav = wav_of(noise(300))
    assert len(wav) > MIB
    for token, status in ((uploads_token, 200), ("dsm_unknown", 401)):
        connection = HTTPConnection(urlsplit(checksum_site.url).netloc, timeout=PATIENCE)
        body = iter([wav[:MIB], wav[MIB:]]) if transfer == "chunked" else wav
        headers = {"Authorization": f"Token {token}", "Content-Type": "audio/wav"}
        with suppress(BrokenPipeError):
            connection.request("POST", "/v1/listen?model=nova-3", body, headers, encode_chunked=transfer == "chunked")
        assert connection.getresponse().status == status
        connection.close()


LOG_IN = """
from accounts.models import User
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
user = User.objects.create_superuser('reader@example.org')
store = SessionStore()
store.update({SESSION_KEY: str(user.pk), HASH_SESSION_KEY: user.get_session_auth_hash(),
    BACKEND_SESSION_KEY: 'allauth.account.auth_backends.AuthenticationBackend'})
store.save()
print(store.session_key)
"""


def test_a_page_of_the_site_sends_a_large_body_with_its_login(checksum_site):
    session, secret = checksum_site.shell(LOG_IN), "a" * 32
    cookie = {"Cookie": f"sessionid={session}; csrftoken={secret}", "X-CSRFToken": secret}
    for origin, status in ((checksum_site.url, 200), ("https://evil.example.org", 401)):
        headers = {**cookie, "Origin": origin, "Content-Type": "application/octet-stream"}
        response = request(checksum_site, "/voices/file.wav", bytes(2 * MIB), **headers)
        assert response.status == status


@pytest.mark.slow
@pytest.mark.parametrize(("path", "status"), [("/accounts/login/", 413), ("/v1/listen", 401), ("/api/v1/me/", 413)])
def test_a_client_of_the_shipped_nginx_gets_the_same_response(checksum_site, tmp_path, path, status):
    nginx = Nginx(tmp_path, checksum_site.url)
    try:
        connection = HTTPConnection(urlsplit(nginx.url).netloc, timeout=PATIENCE)
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", path, bytes(8 * MIB))
        assert connection.getresponse().status == status
    finally:
        nginx.stop()
