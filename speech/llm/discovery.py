"""The models that servers have: the configured servers, and the usual ones on this machine."""

import asyncio
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import NamedTuple

import openai

from speech.llm.config import ModelInfo, is_on_this_machine
from speech.llm.connections import openai_client
from speech.llm.errors import ModelMissing
from speech.llm.server_errors import model_error

LOCAL_TIMEOUT = 0.5
"""Seconds for the list of models of a server on this machine, which takes a few milliseconds; pages wait for it."""
REMOTE_TIMEOUT = 3.0
"""Seconds for the list of models of another server."""
CACHED = 10.0
"""Seconds for which a list is used again: the Operations page asks every few seconds."""
MAX_MODELS = 100
"""Models of one server that are offered."""
NOT_FOR_CHAT = re.compile(
    r"embed|rerank|minilm|\b(bge|gte|e5)-|whisper|\btts\b|transcribe|dall-e|moderation|\bclip\b", re.IGNORECASE
)
"""In the names of models that don't answer: embeddings, speech, images. A list doesn't say what a model is for."""


class LocalServer(NamedTuple):
    key: str
    label: str
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


LOCAL_SERVERS = (
    LocalServer("ollama", "Ollama", 11434),
    LocalServer("llama.cpp", "llama.cpp", 8080),
    LocalServer("vllm", "vLLM", 8000),
    LocalServer("lm-studio", "LM Studio", 1234),
)
"""Servers for language models at their default ports."""


@dataclass(frozen=True)
class Listing:
    """A server's answer to the request for its models."""

    names: tuple[str, ...] = ()
    """All models, also those that don't answer."""
    latency: float = 0.0
    """Seconds."""
    error: str = ""
    """Why there is no list; empty if there is one."""
    has_list: bool = True
    """False if the server answers, but has no list of models: some providers have none."""

    @property
    def models(self) -> list[str]:
        """The first models that answer."""
        return [name for name in self.names if not NOT_FOR_CHAT.search(name)][:MAX_MODELS]


_listings: dict[tuple[str, str], tuple[float, Listing]] = {}
"""Latest listings by URL and key, with their times."""


def forget_listings() -> None:
    """Ask all servers again."""
    _listings.clear()


async def listing(url: str, api_key: str = "") -> Listing:
    """The models of the server at `url`: at most some seconds old."""
    at, known = _listings.get((url, api_key), (0.0, Listing()))
    if not at or time.monotonic() - at > CACHED:
        known = await _request(url, api_key)
        _listings[url, api_key] = (time.monotonic(), known)
    return known


async def _request(url: str, api_key: str) -> Listing:
    timeout = LOCAL_TIMEOUT if is_on_this_machine(url) else REMOTE_TIMEOUT
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            response = await openai_client(url, api_key).models.with_raw_response.list(timeout=timeout)
        return Listing(_names(response.http_response.json()), time.monotonic() - started)
    except (TimeoutError, openai.APITimeoutError):
        return Listing(error=f"No answer in {timeout:g} s.")
    except (openai.OpenAIError, ValueError) as error:
        cause = model_error(error)
        if isinstance(cause, ModelMissing):
            return Listing(latency=time.monotonic() - started, has_list=False)
        return Listing(error=cause.why)


def _names(content: object) -> tuple[str, ...]:
    """Names of the models in OpenAI's list. Raises `ValueError` if it is another one."""
    entries = content.get("data") if isinstance(content, dict) else None
    if isinstance(content, dict) and content.get("object") == "list" and entries is None:
        entries = []  # Ollama without models
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("not a list of models")
    return tuple(entry["id"] for entry in entries if isinstance(entry.get("id"), str))


async def discovered(without: Iterable[str], own_port: int) -> list[ModelInfo]:
    """All models of servers on this machine, except those of the URLs in `without` and of the site itself."""
    known = {_host_and_port(url) for url in without}
    servers = [
        server for server in LOCAL_SERVERS if server.port != own_port and _host_and_port(server.url) not in known
    ]
    listings = await asyncio.gather(*(listing(server.url) for server in servers))
    return [_model(server, name) for server, found in zip(servers, listings, strict=True) for name in found.models]


def _model(server: LocalServer, model: str) -> ModelInfo:
    short = short_name(model)
    return ModelInfo(
        name=f"{server.key}:{short}",
        label=f"{short} ({server.label})",
        url=server.url,
        model=model,
        api_key="",
        is_local=True,
        speculates=True,
    )


def short_name(model: str) -> str:
    """The name without folders and ending if it is the path of a file, as llama.cpp's are."""
    return PurePath(model).stem if model.lower().endswith(".gguf") else model


def _host_and_port(url: str) -> str:
    parts = url.partition("://")[2].partition("/")[0]
    return parts.replace("localhost", "127.0.0.1")
