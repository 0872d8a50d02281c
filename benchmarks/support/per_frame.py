"""Baseline of `link.py`: the same WebSockets and the same echo, with one channel-layer message per frame each way.

Messages to a full channel are lost, by design of the layer. The web process is `daphne
benchmarks.support.per_frame:application`, the inference process `python -m benchmarks.support.per_frame`.
"""

import asyncio
import os
from contextlib import suppress

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
import django

django.setup()

from channels.consumer import AsyncConsumer  # noqa: E402
from channels.exceptions import ChannelFull, StopConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402

WORKER = "per-frame-worker"
FRAME_SAMPLES = 1_920


class PerFrame(AsyncConsumer):
    async def websocket_connect(self, message: dict) -> None:
        self.sample = 0
        await self.send({"type": "websocket.accept"})

    async def websocket_receive(self, message: dict) -> None:
        if message.get("text"):
            await self.send({"type": "websocket.send", "text": '{"type":"ready"}'})
            return
        frame = {"type": "frame", "reply_to": self.channel_name, "pcm": message["bytes"]}
        with suppress(ChannelFull):
            await self.channel_layer.send(WORKER, frame)

    async def step(self, message: dict) -> None:
        self.sample += FRAME_SAMPLES
        await self.send({"type": "websocket.send", "text": f'{{"type":"step","sample":{self.sample}}}'})

    async def websocket_disconnect(self, message: dict) -> None:
        raise StopConsumer


application = PerFrame.as_asgi()


async def echo() -> None:
    layer = get_channel_layer()
    while True:
        frame = await layer.receive(WORKER)
        with suppress(ChannelFull):
            await layer.send(frame["reply_to"], {"type": "step"})


if __name__ == "__main__":
    asyncio.run(echo())
