"""Where an inference process tells its metrics: an HTTP server in a thread of its own."""

from django.core.management import CommandError
from prometheus_client import REGISTRY, start_http_server

from inference.observability.metrics import GraphicsCards


def serve_metrics(place: str) -> None:
    """`place`: [address:]port."""
    address, _, port = place.rpartition(":")
    REGISTRY.register(GraphicsCards())
    try:
        start_http_server(int(port), address.strip("[]") or "127.0.0.1")
    except (OSError, ValueError, OverflowError) as error:
        raise CommandError(f"METRICS_PORT is “{place}”, where no metrics can be told: {error}.") from None
