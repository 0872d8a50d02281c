"""What the errors of a server mean: a `ModelError`, and whether the request can be repeated."""

import time
from email.utils import parsedate_to_datetime

import openai

from speech.llm.errors import (
    ContextExceeded,
    ModelBusy,
    ModelDisconnected,
    ModelError,
    ModelInvalid,
    ModelMissing,
    ModelNotAllowed,
    ModelRejected,
    ModelUnreachable,
)

CONTEXT_WORDS = (
    "context_length",
    "context length",
    "context size",
    "context window",
    "exceed_context",
    "prompt is too long",
)
"""In the errors of OpenAI, vLLM, llama.cpp, LM Studio and Anthropic."""
CREDIT_WORDS = ("insufficient_quota", "insufficient balance", "credit")
RETRY_AFTER_LIMIT = 0.5
"""Seconds until a request is repeated after the server was full: a restarted llama.cpp accepts connections again."""
RETRY_AFTER_UNREACHABLE = 0.2
"""Seconds until a request is repeated after a connection failed: an old one was closed just then, or the server is
being restarted."""
OVERLOADED = (503, 529)
"""Status of a server that is full or still loading the model; 529 is Anthropic's."""


def model_error(error: Exception, has_begun: bool = False) -> ModelError:
    """Return the error for users. `has_begun`: the server has accepted the request and is answering it.

    Nothing of the server's own text is in it: that may contain the API key, or what the user said.
    """
    if isinstance(error, openai.APIStatusError):
        return _of_status(error.status_code, error)
    if isinstance(error, openai.APITimeoutError):
        return ModelUnreachable(why="Its server doesn't accept connections.")
    if isinstance(error, openai.APIConnectionError):
        return ModelDisconnected() if has_begun else ModelUnreachable()
    if isinstance(error, openai.APIError) and has_begun:  # an error event in the stream, perhaps with a status
        return _of_status(int(error.code) if error.code and error.code.isdecimal() else 500, error)
    return ModelInvalid()


def _of_status(status: int, error: openai.APIError) -> ModelError:
    text = _text(error).lower()
    if status == 413 or (status in (400, 422, 500) and any(words in text for words in CONTEXT_WORDS)):
        return ContextExceeded()
    if status == 402 or (status in (403, 429) and any(words in text for words in CREDIT_WORDS)):
        return ModelNotAllowed(why="This site's account at its provider has no credit left.")
    if status in (401, 403):
        return ModelNotAllowed()
    if status in (404, 405):
        return ModelMissing()
    if status == 429:
        return ModelBusy()
    if status in OVERLOADED:
        return ModelBusy(why="Its server is full, or still loading the model.")
    if status < 500:
        return ModelRejected()
    return ModelError()


def retry_delay(error: Exception) -> float | None:
    """Seconds after which the request may be repeated; `None` if it fails again anyway."""
    if isinstance(error, openai.APIStatusError) and error.status_code in (429, *OVERLOADED):
        if isinstance(model_error(error), ModelNotAllowed):
            return None
        after = _retry_after(error.response.headers.get("retry-after", ""))
        return RETRY_AFTER_LIMIT if after is None else after
    if isinstance(error, openai.APIConnectionError) and not isinstance(error, openai.APITimeoutError):
        return RETRY_AFTER_UNREACHABLE
    return None


def _retry_after(value: str) -> float | None:
    """Seconds of a `Retry-After` header: a number, or a date."""
    try:
        return max(float(value), 0)
    except ValueError:
        pass
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0)
    except ValueError:
        return None


def rejected_parameter(error: Exception, sent: list[str]) -> str | None:
    """The parameter, one of those sent, that the server doesn't support and that the request can do without."""
    if not isinstance(error, openai.APIStatusError) or error.status_code not in (400, 422):
        return None
    if isinstance(model_error(error), ContextExceeded):  # its text names `max_tokens` too
        return None
    if error.param in sent:
        return error.param
    text = _text(error)
    return next((name for name in sent if name in text), None)


def _text(error: openai.APIError) -> str:
    """All that the server says about the error."""
    return f"{error.message} {error.code} {error.type} {error.body}"


def log_text(error: Exception) -> str:
    """The error for the log: its kind, status and code, but no text, which may contain what the user said."""
    parts = [type(error).__name__]
    if isinstance(error, openai.APIStatusError):
        parts.append(str(error.status_code))
    if isinstance(error, openai.APIError):
        parts += [part for part in (error.code, error.param) if part]
    return " ".join(parts)
