"""OpenTelemetry spans: the timing of one stream in the web process and in the inference process.

A stream is a trace. The request for a slot carries its context, so spans of the inference process belong to it. Without
`OTEL_EXPORTER_OTLP_ENDPOINT` nothing is recorded or exported (`inference/management/tracing.py`). Spans never contain
audio, words or names.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from inference.messages import Audio, Closed, Down, Endpoint, Kind, Marker, Open, Ready, Step, Word

TRACER = trace.get_tracer("speech")
SPEECH_THRESHOLD = 0.5
"""Minimum voice activity of speech."""


@contextmanager
def span(name: str, **attributes: Any) -> Iterator[None]:
    """Run the block in a new span; spans of tasks started in the block are its children."""
    current = TRACER.start_span(name, attributes=attributes)
    with trace.use_span(current, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            # not the message: a database's contains words
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def add_event(name: str, **attributes: Any) -> None:
    """Add an event to the current span."""
    trace.get_current_span().add_event(name, attributes)


def current_traceparent() -> str:
    """The current span's W3C `traceparent`; empty without tracing."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


class SlotTrace:
    """Spans of one stream in the inference process: one while it has the slot and, within it, one for each segment,
    from the first speech to its endpoint."""

    def __init__(self, request: Open, engine: str, kind: Kind) -> None:
        parent = TraceContextTextMapPropagator().extract({"traceparent": request.trace})
        attributes: dict[str, str | int] = {
            "engine": engine,
            "kind": kind,
            "connection": request.stream,
            "position": request.position,
        }
        self._span = TRACER.start_span("slot", parent, attributes=attributes)
        self._context = trace.set_span_in_context(self._span)
        self._segment: Span | None = None
        self._has_segments = kind == "stt"
        self._words = self._steps = 0
        self._seconds = 0.0
        self._has_audio = False

    def on_step(self, seconds: float) -> None:
        """Record an engine step that included this stream."""
        self._steps += 1
        self._seconds += seconds

    def on_message(self, message: Down) -> None:
        match message:
            case Ready():
                self._span.add_event("ready")
            case Step(speech=speech) if speech > SPEECH_THRESHOLD:
                self._start_segment()
            case Word():
                self._start_segment()
                self._words += 1
            case Endpoint():
                self._end_segment({"start": message.start, "end": message.end})
            case Audio() if not self._has_audio:
                self._has_audio = True
                self._span.add_event("first audio")
            case Marker():
                self._span.add_event("flushed")
            case Closed():
                self._span.set_status(Status(StatusCode.ERROR, message.reason))

    def end(self) -> None:
        self._end_segment({})
        self._span.end()

    def _start_segment(self) -> None:
        if self._segment is None and self._has_segments:
            self._segment = TRACER.start_span("segment", self._context)
            self._words = self._steps = 0
            self._seconds = 0.0

    def _end_segment(self, attributes: dict[str, float]) -> None:
        if self._segment is None:
            return
        counts = {"words": self._words, "steps": self._steps, "engine_seconds": round(self._seconds, 4)}
        self._segment.set_attributes(attributes | counts)
        self._segment.end()
        self._segment = None
