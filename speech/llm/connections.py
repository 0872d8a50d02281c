"""Connections to the servers of language models, shared by all conversations of this process."""

import asyncio
from weakref import WeakKeyDictionary

import httpx2
import openai

from speech.llm.config import is_on_this_machine

CONNECT_TIMEOUT = 5.0
"""Seconds until a server has accepted a connection. A server that runs does so at once; without the limit, a machine
that is off takes two minutes."""
KEEP_CONNECTED = 60.0
"""Seconds for which an unused connection stays open: longer than most turns, because a new one to a provider takes
0.1 s of the user's time."""
NO_KEY = "none"
"""Sent to a server without a key; the client library requires one."""
WITHOUT_DEADLINE = openai.Timeout(None, connect=CONNECT_TIMEOUT)
"""For requests whose deadlines are set by their caller."""

_clients: "WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], openai.AsyncOpenAI]]"
_clients = WeakKeyDictionary()
"""Clients by URL and key. A connection belongs to an event loop."""


def openai_client(url: str, api_key: str) -> openai.AsyncOpenAI:
    """Return the client of a server, which never retries a request itself."""
    clients = _clients.setdefault(asyncio.get_running_loop(), {})
    if (url, api_key) not in clients:
        http_client = openai.DefaultAsyncHttpxClient(
            limits=httpx2.Limits(keepalive_expiry=KEEP_CONNECTED),
            trust_env=not is_on_this_machine(url),  # a proxy of the environment isn't for this machine's own servers
        )
        clients[url, api_key] = openai.AsyncOpenAI(
            base_url=url, api_key=api_key or NO_KEY, max_retries=0, http_client=http_client
        )
    return clients[url, api_key]
