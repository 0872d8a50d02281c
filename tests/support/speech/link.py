"""The link of the web side inside this process, for tests that have no site of their own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from channels.layers import BaseChannelLayer, channel_layers, get_channel_layer

from speech.gateway import link


@asynccontextmanager
async def layer_alone() -> AsyncIterator[BaseChannelLayer]:
    """A layer that nobody else is on; the link to it ends with it."""
    channel_layers.backends.clear()
    yield get_channel_layer()
    task = link.Link.current()._task
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    channel_layers.backends.clear()


@asynccontextmanager
async def link_alone(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """No engine is there, so none is waited for."""
    monkeypatch.setattr(link, "DISCOVERY_TIMEOUT", 0.0)
    monkeypatch.setattr(link, "VOICES_TIMEOUT", 0.0)
    async with layer_alone():
        yield
