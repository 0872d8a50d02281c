"""Traces are told to a collector when there is an endpoint, over OTLP and HTTP. All else is as OpenTelemetry's own
variables have it: `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and so on."""

import threading

from django.conf import settings
from opentelemetry import trace

from inference.messages import process_name

TOLD_WITHIN = 1.0
"""Seconds that a process which ends has for what it did not tell yet."""


class TracingUnusable(Exception):
    """Says why, and what to do."""


def begin_tracing(part: str) -> None:
    """`part`: web or inference. Without an endpoint there are no traces. Raises `TracingUnusable`."""
    if not settings.OTEL_ENDPOINT:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise TracingUnusable(
            "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and what tells them is not installed. "
            "Install it: pip install -r requirements/tracing.txt"
        ) from None
    about = {
        "service.name": f"speech-{part}",
        "service.version": settings.VERSION,
        "service.instance.id": process_name(),
    }
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def end_tracing() -> None:
    """Tell the rest. A collector that does not answer holds nothing up."""
    shut_down = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shut_down is None:
        return
    thread = threading.Thread(target=shut_down, daemon=True)
    thread.start()
    thread.join(TOLD_WITHIN)
