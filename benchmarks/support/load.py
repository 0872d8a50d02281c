"""Load generator: N WebSocket clients that each send a frame every 80 ms and record when the step for it arrives.

It is optimized for load: frames are built once, and responses are parsed only as far as necessary.
"""

import asyncio
import json
import os
import random
import struct
from base64 import b64encode
from dataclasses import dataclass, field

FRAME_SECONDS = 0.08
FRAME_SAMPLES = 1_920
FRAME_BYTES = 3_840

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def ws_frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame; the masking key is zero, which leaves the payload unchanged."""
    size = len(payload)
    length = struct.pack("!B", 0x80 | size) if size < 126 else struct.pack("!BH", 0x80 | 126, size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


AUDIO = ws_frame(BINARY, bytes(FRAME_BYTES))


@dataclass
class Tally:
    ready: int = 0
    sent: int = 0
    answered: int = 0
    rejected: list[str] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)  # seconds


class Client(asyncio.Protocol):
    def __init__(self, host: str, path: str, tally: Tally) -> None:
        self._host = host
        self._path = path
        self._tally = tally
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._upgraded = False
        self._sent_at: list[float] = []
        self._answered = 0
        self._is_silent = True
        self.ready: asyncio.Future[None] = self._loop.create_future()

    def speak(self, seconds: float) -> None:
        self._is_silent = False
        self._end = self._loop.time() + seconds
        self._next = self._loop.time() + random.random() * FRAME_SECONDS
        self._loop.call_at(self._next, self._send_frame)

    def _send_frame(self) -> None:
        if self._is_silent or self._next > self._end:
            return
        self._transport.write(AUDIO)
        self._sent_at.append(self._loop.time())
        self._tally.sent += 1
        self._next += FRAME_SECONDS
        self._loop.call_at(self._next, self._send_frame)

    def close(self) -> None:
        self._is_silent = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        key = b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {self._host}\r\nOrigin: http://{self._host}\r\n"
            f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._upgraded:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self._record_rejection(head.split(b"\r\n", 1)[0].decode())
                self.close()
                return
            self._upgraded, self._buffer = True, rest
            self._transport.write(ws_frame(TEXT, b'{"type":"start"}'))
        while (message := self._pop_message()) is not None:
            self._handle(*message)

    def _pop_message(self) -> tuple[int, bytes] | None:
        if len(self._buffer) < 2:
            return None
        opcode, size, start = self._buffer[0] & 0x0F, self._buffer[1] & 0x7F, 2
        if size == 126:
            if len(self._buffer) < 4:
                return None
            size, start = struct.unpack_from("!H", self._buffer, 2)[0], 4
        if len(self._buffer) < start + size:
            return None
        payload, self._buffer = self._buffer[start : start + size], self._buffer[start + size :]
        return opcode, payload

    def _handle(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._transport.write(ws_frame(PONG, payload))
        elif opcode == TEXT and b'"step"' in payload:
            now = self._loop.time()
            processed = json.loads(payload)["sample"] // FRAME_SAMPLES
            for frame in range(self._answered, min(processed, len(self._sent_at))):
                self._tally.latencies.append(now - self._sent_at[frame])
                self._tally.answered += 1
            self._answered = max(self._answered, processed)
        elif opcode == TEXT and b'"ready"' in payload:
            self._tally.ready += 1
            if not self.ready.done():
                self.ready.set_result(None)
        elif opcode == TEXT and b'"error"' in payload:
            self._record_rejection(payload.decode())

    def _record_rejection(self, reason: str) -> None:
        self._tally.rejected.append(reason)
        if not self.ready.done():
            self.ready.set_exception(ConnectionRefusedError(reason))


async def speak(host: str, port: int, paths: list[str], seconds: float) -> Tally:
    """Run one client per path, all concurrently for `seconds`, and wait two more seconds for the last responses.

    Raises ConnectionRefusedError if one is rejected.
    """
    loop, tally = asyncio.get_running_loop(), Tally()
    clients = []
    for path in paths:
        _, client = await loop.create_connection(lambda path=path: Client(f"{host}:{port}", path, tally), host, port)
        clients.append(client)
        await asyncio.sleep(0.005)
    async with asyncio.timeout(60):
        await asyncio.gather(*(client.ready for client in clients))
    for client in clients:
        client.speak(seconds)
    await asyncio.sleep(seconds + 2)
    for client in clients:
        client.close()
    return tally
