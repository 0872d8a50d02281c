"""What is counted of streams, for Prometheus (`operations/health/metrics.py` tells it)."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from speech.errors import StreamError

STREAMS_OPEN = Gauge("speech_streams_open", "Streams that run or wait", ["kind"])
QUEUE_WAIT = Histogram(
    "speech_queue_wait_seconds",
    "From the request for a slot until there is one",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600),
)
FIRST_AUDIO = Histogram(
    "speech_first_audio_seconds",
    "From the first text until its first sound",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
WORDS = Counter("speech_words", "Words that were heard, and are final")
ACKS = Counter("speech_acks", "Times that a client was told what is stored")
REPLAYS = Counter("speech_replays", "Slots that were lost, so that what they had is sent again", ["kind"])
UPLOADS = Counter("speech_uploads", "Files that were transcribed or refused", ["outcome"])
CLOSES = Counter("ws_close", "WebSockets that this server closed", ["code"])
FAILURES = Counter("connection_error", "Streams that ended with an error", ["type"])

# A series that begins at 0 shows its first increase, to an alert too.
for kind in ("stt", "tts"):
    STREAMS_OPEN.labels(kind)
    QUEUE_WAIT.labels(kind)
    REPLAYS.labels(kind)
for outcome in ("done", "refused", "cut"):
    UPLOADS.labels(outcome)
for error in StreamError.__subclasses__():
    FAILURES.labels(error.__name__)


@contextmanager
def open_stream(kind: str) -> Iterator[None]:
    """Counts it as open, and how it fails."""
    STREAMS_OPEN.labels(kind).inc()
    try:
        yield
    except Exception as error:
        FAILURES.labels(type(error).__name__).inc()
        raise
    finally:
        STREAMS_OPEN.labels(kind).dec()
