"""A collector of OpenTelemetry, which keeps the spans that it is told over OTLP."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Told:
    service: str
    span: Span

    @property
    def about(self) -> dict[str, str | int | float]:
        values = {each.key: each.value for each in self.span.attributes}
        return {name: getattr(value, value.WhichOneof("value")) for name, value in values.items()}

    @property
    def events(self) -> list[str]:
        return [event.name for event in self.span.events]


class Collector:
    def __init__(self, url: str) -> None:
        self.url = url
        self.told: list[Told] = []

    def named(self, name: str) -> list[Told]:
        return [told for told in self.told if told.span.name == name]

    def wait(self, until: Callable[[], bool], within: float = 30) -> None:
        deadline = time.monotonic() + within
        while not until():
            if time.monotonic() > deadline:
                raise TimeoutError([(told.service, told.span.name) for told in self.told])
            time.sleep(0.05)

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            about = {each.key: each.value.string_value for each in resource.resource.attributes}
            spans = [span for scope in resource.scope_spans for span in scope.spans]
            self.told += [Told(about["service.name"], span) for span in spans]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            server.shutdown()
