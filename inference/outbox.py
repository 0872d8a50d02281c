"""Bundles the messages of all streams: one channel-layer message per destination and tick.

One channel-layer message per frame and stream collapses at a hundred streams; bundles carry several hundred
(`benchmarks/link.py`).
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any, Protocol

import msgspec

from inference.messages import Down, Reassign, Up
from inference.observability.recent_errors import classify

logger = logging.getLogger(__name__)

TICK = 0.01  # seconds
MAX_PENDING = 20_000
"""Maximum of unsent messages for one destination; beyond, it is considered dead and they are dropped."""

Item = tuple[str, int, Up | Reassign | Down]
"""Stream, sequence number of the message in this direction, message. `Reassign` is of no stream."""

_encoder = msgspec.msgpack.Encoder()
decode_up = msgspec.msgpack.Decoder(list[tuple[str, int, Up | Reassign]]).decode
decode_down = msgspec.msgpack.Decoder(list[tuple[str, int, Down]]).decode


class Layer(Protocol):
    """The methods of a channel layer that are used here."""

    async def new_channel(self) -> str: ...
    async def send(self, channel: str, message: dict[str, Any]) -> None: ...
    async def receive(self, channel: str) -> dict[str, Any]: ...
    async def group_add(self, group: str, channel: str) -> None: ...
    async def group_discard(self, group: str, channel: str) -> None: ...
    async def group_send(self, group: str, message: dict[str, Any]) -> None: ...


class Outbox:
    """Collects messages; `run` sends them as bundles."""

    def __init__(self, layer: Layer) -> None:
        self._layer = layer
        self._pending: dict[str, list[Item]] = defaultdict(list)
        self._has_items = asyncio.Event()
        self.dropped = 0

    def put(self, address: str, item: Item) -> None:
        self._pending[address].append(item)
        self._has_items.set()

    async def run(self) -> None:
        while True:
            await self._has_items.wait()
            await asyncio.sleep(TICK)
            await self.flush()

    async def flush(self) -> None:
        self._has_items.clear()
        pending, self._pending = self._pending, defaultdict(list)
        await asyncio.gather(*(self._send(address, items) for address, items in pending.items()))

    async def _send(self, address: str, items: list[Item]) -> None:
        try:
            await self._layer.send(address, {"type": "bundle", "data": _encoder.encode(items)})
        except Exception as error:  # the channel is full or the layer unavailable, perhaps only for a while
            items += self._pending[address]
            if len(items) > MAX_PENDING:
                self.dropped += len(items)
                logger.warning(
                    "could not send to %s (%r): dropped %d messages", address, error, len(items), extra=classify(error)
                )
                del self._pending[address]
                return
            self._pending[address] = items
            asyncio.get_running_loop().call_later(0.1, self._has_items.set)
