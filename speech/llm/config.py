"""A language model that conversations can use, where it is and how to ask it; and the messages it gets."""

import ipaddress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

CONTEXT_TOKENS = 4096
"""Context size of a model that has none configured: what Ollama gives a model by default."""
MAX_TOKENS = 400
"""Longest reply: about two minutes of speech."""
TEMPERATURE = 0.6

DEMO = "demo"
"""Name of the demo model."""

OWN_HOSTS = ("localhost", "host.docker.internal")
"""Names of the machine itself; the second one inside a container."""


class Message(NamedTuple):
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True)
class ModelInfo:
    name: str
    """Key in URLs, options and the database: “gpt-mini”, “ollama:llama3.2”, “demo”."""
    label: str
    """Name on pages: “llama3.2 (Ollama)”."""
    url: str
    """Address of the API, up to and including /v1."""
    model: str
    """Name of the model on its server. Empty: the server's first one."""
    api_key: str = field(repr=False)
    is_local: bool
    """Runs on this machine."""
    speculates: bool
    """Replies may be generated before it is certain that the user has finished: costs tokens that may be wasted."""
    is_demo: bool = False
    context_tokens: int = CONTEXT_TOKENS
    max_tokens: int = MAX_TOKENS
    temperature: float = TEMPERATURE
    extra_body: dict[str, Any] = field(default_factory=dict, hash=False)
    """Further fields of the request."""


def api_url(url: str) -> str:
    """Address of the API: `url` without a slash at its end, and with /v1 if it has no path.

    Raises `ValueError` if it isn't an HTTP address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not a URL such as http://localhost:11434/v1.")
    if parts.username or parts.password:
        raise ValueError("the URL must not have a user or password; set the API key instead.")
    stripped = url.rstrip("/")
    return stripped if parts.path.strip("/") else f"{stripped}/v1"


def is_on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host in OWN_HOSTS or host.endswith(".localhost")
