"""Spans of OpenTelemetry: where the time of one stream went, in the web process and in the inference process.

A stream is a trace. The request for a slot carries its identity, so what the inference process tells is a part of it.
Without `OTEL_EXPORTER_OTLP_ENDPOINT` nothing is made and nothing is told (`inference/management/tracing.py`). No span
has audio, words or names in it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from inference.messages import Audio, Closed, Down, Endpoint, Kind, Marker, Open, Ready, Step, Word

TRACER = trace.get_tracer("speech")
SPEECH = 0.5
"""The voice activity from which on somebody speaks."""


@contextmanager
def span(name: str, **about: Any) -> Iterator[None]:
    """What happens meanwhile, in tasks begun within too, is a part of it."""
    current = TRACER.start_span(name, attributes=about)
    with trace.use_span(current, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            current.set_status(Status(StatusCode.ERROR, type(error).__name__))  # what a database says has words in it
            raise


def add_event(what: str, **about: Any) -> None:
    """An event of the span that is current."""
    trace.get_current_span().add_event(what, about)


def current_traceparent() -> str:
    """The identity of the span that is current, as the W3C's `traceparent`; empty where nothing is traced."""
    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


class SlotTrace:
    """What an inference process does for one stream: a span while it has the slot and, within, one for each utterance,
    from the first sound of speech to its end being told."""

    def __init__(self, request: Open, engine: str, kind: Kind) -> None:
        parent = TraceContextTextMapPropagator().extract({"traceparent": request.trace})
        about: dict[str, str | int] = {
            "engine": engine,
            "kind": kind,
            "connection": request.stream,
            "position": request.position,
        }
        self._span = TRACER.start_span("slot", parent, attributes=about)
        self._within = trace.set_span_in_context(self._span)
        self._utterance: Span | None = None
        self._has_utterances = kind == "stt"
        self._words = self._steps = 0
        self._seconds = 0.0
        self._has_sound = False

    def on_step(self, seconds: float) -> None:
        """The engine made a step, for this stream among others."""
        self._steps += 1
        self._seconds += seconds

    def on_message(self, message: Down) -> None:
        match message:
            case Ready():
                self._span.add_event("ready")
            case Step(speech=speech) if speech > SPEECH:
                self._begin_utterance()
            case Word():
                self._begin_utterance()
                self._words += 1
            case Endpoint():
                self._end_utterance({"start": message.start, "end": message.end})
            case Audio() if not self._has_sound:
                self._has_sound = True
                self._span.add_event("first audio")
            case Marker():
                self._span.add_event("all is told")
            case Closed():
                self._span.set_status(Status(StatusCode.ERROR, message.reason))

    def end(self) -> None:
        self._end_utterance({})
        self._span.end()

    def _begin_utterance(self) -> None:
        if self._utterance is None and self._has_utterances:
            self._utterance = TRACER.start_span("utterance", self._within)
            self._words = self._steps = 0
            self._seconds = 0.0

    def _end_utterance(self, about: dict[str, float]) -> None:
        if self._utterance is None:
            return
        counted = {"words": self._words, "steps": self._steps, "engine_seconds": round(self._seconds, 4)}
        self._utterance.set_attributes(about | counted)
        self._utterance.end()
        self._utterance = None
