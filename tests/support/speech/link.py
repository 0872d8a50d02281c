"""The web process's link inside the test process, for tests without a site."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from channels.layers import BaseChannelLayer, channel_layers, get_channel_layer

from speech.gateway import link, workers


@asynccontextmanager
async def isolated_layer() -> AsyncIterator[BaseChannelLayer]:
    """A channel layer without other users; the link to it ends with it."""
    channel_layers.backends.clear()
    yield get_channel_layer()
    task = link.Link.current()._task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    channel_layers.backends.clear()


@asynccontextmanager
async def isolated_link(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A link without engines, which therefore waits for none."""
    monkeypatch.setattr(workers, "DISCOVERY_TIMEOUT", 0.0)
    monkeypatch.setattr(workers, "VOICES_TIMEOUT", 0.0)
    async with isolated_layer():
        yield
