"""Prometheus metrics of streams, uploads and WebSockets (`operations/health/metrics.py` exports them)."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

from speech.errors import StreamError

STREAMS_OPEN = Gauge("speech_streams_open", "Streams that are running or queued", ["kind"])
QUEUE_WAIT = Histogram(
    "speech_queue_wait_seconds",
    "Time from the request for a slot until it is assigned",
    ["kind"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600),
)
FIRST_AUDIO = Histogram(
    "speech_first_audio_seconds",
    "Time from the first text until its first audio",
    buckets=(0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10),
)
WORDS = Counter("speech_words", "Final words recognized")
ACKS = Counter("speech_acks", "Acknowledgements sent to clients")
REPLAYS = Counter("speech_replays", "Slots lost whose audio was resent", ["kind"])
UPLOADS = Counter("speech_uploads", "Uploads by outcome", ["outcome"])
LLM_REQUESTS = Counter("speech_llm_requests", "Requests to language models by outcome", ["model", "outcome"])
LLM_FIRST_TOKEN = Histogram(
    "speech_llm_first_token_seconds",
    "Time from the request to a language model until its first text",
    ["model"],
    buckets=(0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30),
)
LLM_TOKENS = Counter("speech_llm_tokens", "Tokens of language models: of prompts and completions", ["model", "kind"])
REPLY_SECONDS = Counter("speech_reply_seconds", "Seconds of replies that were played in conversations")
CLOSES = Counter("ws_close", "WebSockets closed by this server", ["code"])
FAILURES = Counter("connection_error", "Streams that ended with an error", ["type"])

# A series must exist at 0 for graphs and alerts to see its first increase.
for kind in ("stt", "tts"):
    STREAMS_OPEN.labels(kind)
    QUEUE_WAIT.labels(kind)
    REPLAYS.labels(kind)
for outcome in ("done", "failed", "truncated"):
    UPLOADS.labels(outcome)
for error in StreamError.__subclasses__():
    FAILURES.labels(error.__name__)


@contextmanager
def open_stream(kind: str) -> Iterator[None]:
    """Count the stream while it is open, and its failure."""
    STREAMS_OPEN.labels(kind).inc()
    try:
        yield
    except Exception as error:
        FAILURES.labels(type(error).__name__).inc()
        raise
    finally:
        STREAMS_OPEN.labels(kind).dec()
