"""Chooses a stream's class by the kind of its engine."""

from inference.messages import Kind, Open
from inference.observability.tracing import SlotTrace
from inference.streams.base import Stream
from inference.streams.stt import SttStream
from inference.streams.tts import TtsStream


def stream_for(kind: Kind, request: Open, engine: str = "") -> Stream:
    return (TtsStream if kind == "tts" else SttStream)(request, SlotTrace(request, engine, kind))
