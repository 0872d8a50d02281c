"""A webhook receiver with scripted responses: errors, delays or success."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Receiver(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.script: list[int | float] = []
        """Responses to the next requests: a status (int), or a delay without response (float, seconds). Then 200."""
        self.received: list[tuple[dict[str, str], bytes, int]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"

    @property
    def accepted(self) -> list[tuple[dict[str, str], bytes]]:
        return [(headers, body) for headers, body, status in self.received if status == 200]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        action = self.server.script.pop(0) if self.server.script else 200
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.received.append((headers, body, action if isinstance(action, int) else 0))
        if isinstance(action, float):
            time.sleep(action)
            return
        self.send_response(action)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, args=[0.01], daemon=True).start()
    yield receiver
    receiver.shutdown()
    receiver.server_close()
