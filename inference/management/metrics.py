"""Serves an inference process's metrics over HTTP, in a thread of its own."""

from django.core.management import CommandError
from prometheus_client import REGISTRY, start_http_server

from inference.observability.metrics import GraphicsCards


def serve_metrics(endpoint: str) -> None:
    """`endpoint`: [address:]port."""
    address, _, port = endpoint.rpartition(":")
    REGISTRY.register(GraphicsCards())
    try:
        start_http_server(int(port), address.strip("[]") or "127.0.0.1")
    except (OSError, ValueError, OverflowError) as error:
        raise CommandError(f"Can't serve metrics at METRICS_PORT “{endpoint}”: {error}.") from None
