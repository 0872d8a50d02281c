"""Recordings that are fetched from a URL."""

import hashlib
import io
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from speech.dialects.deepgram.errors import RemoteContentError
from speech.dialects.deepgram.listen.remote_file import fetch

CONTENT = b"a recording" * 1_000


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, location = {"/moved": (302, "/speech.wav"), "/loop": (302, "/loop")}.get(self.path, (200, ""))
        self.send_response(404 if self.path == "/missing" else status)
        self.send_header("Content-Length", str(len(CONTENT)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("path", ["/speech.wav", "/moved"])
async def test_a_recording_is_fetched(server, settings, path):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    file = io.BytesIO()
    assert await fetch(server + path, file, len(CONTENT)) == hashlib.sha256(CONTENT).hexdigest()
    assert file.getvalue() == CONTENT


@pytest.mark.parametrize(
    ("path", "size", "why"),
    [
        ("/missing", 10**6, "HTTP 404"),
        ("/loop", 10**6, "redirected too often"),
        ("/speech.wav", 2**10, "too large"),
    ],
)
async def test_what_cannot_be_fetched_is_an_error(server, settings, path, size, why):
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with pytest.raises(RemoteContentError, match=why):
        await fetch(server + path, io.BytesIO(), size)


@pytest.mark.parametrize(
    "url",
    ["{server}/speech.wav", "http://[::1]/", "http://metadata.invalid/", "file:///etc/passwd", "nonsense", "http://"],
)
async def test_only_public_addresses_are_requested(server, url):
    with pytest.raises(RemoteContentError):
        await fetch(url.format(server=server), io.BytesIO(), 10**6)
