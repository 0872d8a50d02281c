"""The HTTP server of an external issuer of tokens."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class IssuerHandler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        self.server.requests += 1
        body = json.dumps(self.server.respond(self)).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def issuer_server() -> Iterator[Any]:
    """`.url`, `.respond(request) -> JSON`, which the test sets, and `.requests`, their number."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), IssuerHandler)
    server.requests, server.url = 0, f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()
