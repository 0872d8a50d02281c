"""Exports traces to a collector over OTLP/HTTP if an endpoint is set. OpenTelemetry's own variables configure the rest:
`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and so on."""

import threading

from django.conf import settings
from opentelemetry import trace

from inference.messages import process_name

SHUTDOWN_TIMEOUT = 1.0
"""Seconds to export the remaining spans when the process ends."""


class TracingUnusable(Exception):
    """Tracing is configured but cannot run; the message explains what to do."""


def start_tracing(part: str) -> None:
    """Set up the export for `part`, web or inference; without an endpoint do nothing. Raises `TracingUnusable`."""
    if not settings.OTEL_ENDPOINT:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracingUnusable(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but the tracing packages aren't installed. "
            "Install them: pip install -r requirements/locked/tracing.txt"
        ) from None
    attributes = {
        "service.name": f"speech-{part}",
        "service.version": settings.VERSION,
        "service.instance.id": process_name(),
    }
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def stop_tracing() -> None:
    """Export the remaining spans, without waiting for a collector that does not respond."""
    shut_down = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shut_down is None:
        return
    thread = threading.Thread(target=shut_down, daemon=True)
    thread.start()
    thread.join(SHUTDOWN_TIMEOUT)
