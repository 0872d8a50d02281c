"""One conversation as the Talk page holds it, in real time and without a browser.

One clock moves the microphone and the loudspeaker in blocks of 20 ms. The microphone's frames are sent when they end,
and a report of what was played follows each. Times are monotonic seconds of this process.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import websockets
from websockets.asyncio.client import ClientConnection

from benchmarks.support.dialogue.played_reply import PlayedReply
from benchmarks.support.dialogue.scripted_model import Context, Script, compare
from benchmarks.support.dialogue.sounds import BLOCK, Echo, Pcm, white_noise
from inference.messages import BYTES_PER_SAMPLE, FRAME_SAMPLES, SAMPLE_RATE
from tests.support.servers.site import Site

BLOCK_SECONDS = BLOCK / SAMPLE_RATE
BLOCKS_PER_FRAME = FRAME_SAMPLES // BLOCK
NOISE = -65.0
"""Decibels of full scale, of the microphone in a quiet room."""
TIMEOUT = 20.0


class Span(NamedTuple):
    """Samples of the session."""

    start: int
    end: int


class Talker:
    def __init__(self, socket: ClientConnection, script: Script) -> None:
        self.script = script
        self.states: list[tuple[float, str]] = [(0.0, "listening")]
        self.turns: list[tuple[float, str]] = []
        self.replies: list[PlayedReply] = []
        self.latencies: dict[int, dict[str, float]] = {}
        """By reply."""
        self.contexts: list[Context] = []
        self.notices: list[str] = []
        self.echo_at: float | None = None
        self.lateness: list[float] = []
        """Of the frames, seconds: more than some milliseconds falsify all measurements."""
        self.echo: Echo | None = None
        self._socket = socket
        self._changed = asyncio.Event()
        self._blocks = 0
        self._sent = 0  # samples
        self._speech: list[tuple[int, Pcm]] = []  # sample of the session at which it begins
        self._noise = white_noise(NOISE, 1)
        self._output = np.zeros(SAMPLE_RATE, np.int16)  # the loudspeaker's last second
        self._progress: tuple[PlayedReply, int] | None = None  # not reported yet, with the sample of the session
        self._failure: BaseException | None = None

    # --- The user ---------------------------------------------------------------------------------------------------

    def say(self, pcm: Pcm, at: int | None = None) -> Span:
        """Let the microphone record this, from now or from a later sample of the session on."""
        start = self._blocks * BLOCK if at is None else at
        self._speech.append((start, pcm))
        return Span(start, start + len(pcm))

    async def enter_text(self, text: str) -> None:
        await self._stop_reply()
        await self._send(type="text", text=text)

    async def interrupt(self) -> None:
        await self._stop_reply()
        await self._send(type="interrupt")

    async def _stop_reply(self) -> None:
        if self.replies and not self.replies[-1].is_over:
            self.replies[-1].is_stopped = True
        await self._report()

    # --- Waiting ----------------------------------------------------------------------------------------------------

    def time_of(self, sample: int) -> float:
        return self._began_at + sample / SAMPLE_RATE

    async def until(self, sample: float) -> None:
        """Return when the microphone has recorded everything before a sample of the session."""
        await self.wait(lambda: self._blocks * BLOCK >= sample)

    async def wait(self, condition: Callable[[], bool], within: float = TIMEOUT) -> bool:
        """Return when the condition is true, or False if it isn't in time. Raises what ended the conversation."""
        deadline = time.monotonic() + within
        while not condition():
            if self._failure:
                raise self._failure
            if time.monotonic() > deadline:
                return False
            self._changed.clear()
            await self._changed.wait()
        return True

    async def next_reply(self, after: int, since: float = 0.0, within: float = TIMEOUT) -> PlayedReply | None:
        """The first reply behind number `after` whose audio began at `since` or later."""

        def find() -> PlayedReply | None:
            found = (each for each in self.replies if each.number > after and each.first_audio_at >= max(since, 1e-9))
            return next(found, None)

        await self.wait(lambda: find() is not None, within)
        return find()

    async def until_played(self, reply: PlayedReply, seconds: float) -> None:
        await self.wait(lambda: reply.played >= seconds * SAMPLE_RATE or reply.is_over)

    async def settle(self) -> None:
        """Return when both sides have been silent for half a second."""
        for _ in range(3):
            if await self.wait(lambda: self._is_quiet):
                return
            await self.interrupt()

    @property
    def last_number(self) -> int:
        """Of the latest reply; 0 before the first."""
        return self.replies[-1].number if self.replies else 0

    def holds(self, since: float) -> list[float]:
        """Seconds of each pause of a reply that began at `since` or later."""
        changes = [*self.states, (time.monotonic(), "")]
        return [end - start for (start, state), (end, _) in pairwise(changes) if state == "held" and start >= since]

    @property
    def _is_quiet(self) -> bool:
        since, state = self.states[-1]
        is_over = not self.replies or self.replies[-1].is_over
        is_silent = all(start + len(pcm) < self._blocks * BLOCK for start, pcm in self._speech)
        return state == "listening" and is_over and is_silent and time.monotonic() - since > 0.5

    # --- The clock --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Return when the conversation has ended."""
        try:
            async with asyncio.TaskGroup() as tasks:
                clock = tasks.create_task(self._run_clock())
                await self._receive()
                clock.cancel()
        except* (websockets.WebSocketException, AssertionError) as errors:
            self._failure = self._failure or errors.exceptions[0]
        self._changed.set()

    async def open(self) -> None:
        await self._send(type="start", instructions=self.script.instructions)
        while (message := json.loads(await self._socket.recv()))["type"] != "ready":
            assert message["type"] != "error", message

    async def close(self) -> None:
        await self._send(type="stop")

    async def _run_clock(self) -> None:
        self._began_at = time.monotonic()
        while True:
            due = self._began_at + (self._blocks + 1) * BLOCK_SECONDS
            await asyncio.sleep(due - time.monotonic())
            self._blocks += 1
            self._play_block()
            if self._blocks % BLOCKS_PER_FRAME == 0:
                self.lateness.append(time.monotonic() - due)
                await self._socket.send(self._record_frame())
                await self._report()
            self._changed.set()

    def _play_block(self) -> None:
        block = np.zeros(BLOCK, np.int16)
        reply = self.replies[-1] if self.replies else None
        if reply and not reply.is_over and self.states[-1][1] != "held":
            start = reply.played * BYTES_PER_SAMPLE
            audio = np.frombuffer(bytes(reply.audio[start : start + BLOCK * BYTES_PER_SAMPLE]), "<i2")
            block[: len(audio)] = audio
            reply.played += len(audio)
            self._progress = reply, self._blocks * BLOCK
        self._output = np.concatenate([self._output[BLOCK:], block])

    def _record_frame(self) -> bytes:
        start = self._sent
        self._sent += FRAME_SAMPLES
        frame = np.roll(self._noise, start * 7)[:FRAME_SAMPLES].astype(np.float64)
        for begin, pcm in self._speech:
            first, last = max(start, begin), min(self._sent, begin + len(pcm))
            if first < last:
                frame[first - start : last - start] += pcm[first - begin : last - begin]
        if self.echo:
            frame += self.echo.of(self._output)[-FRAME_SAMPLES:]
        self._speech = [(begin, pcm) for begin, pcm in self._speech if begin + len(pcm) > self._sent]
        return np.clip(frame, -32768, 32767).astype("<i2").tobytes()

    async def _report(self) -> None:
        """Report what was played, as far as the microphone's audio was sent."""
        if self._progress:
            (reply, at), self._progress = self._progress, None
            unsent = max(0, at - self._sent)
            await self._send(type="played", reply=reply.number, sample=max(0, reply.played - unsent), at=at - unsent)

    # --- The server -------------------------------------------------------------------------------------------------

    async def _send(self, **message: Any) -> None:
        await self._socket.send(json.dumps(message))

    async def _receive(self) -> None:
        async for message in self._socket:
            if isinstance(message, bytes):
                self._on_audio(message)
            else:
                self._on_message(json.loads(message))
            self._changed.set()

    def _on_audio(self, pcm: bytes) -> None:
        reply = self.replies[-1]
        reply.first_audio_at = reply.first_audio_at or time.monotonic()
        reply.audio += pcm

    def _on_message(self, message: dict[str, Any]) -> None:
        now = time.monotonic()
        match message["type"]:
            case "turn_state":
                self.states.append((now, message["state"]))
            case "turn":
                self.turns.append((now, message["text"]))
            case "latency":
                self.latencies[message["reply"]] = message
            case "reply_started":
                self._on_reply_started(message["reply"])
            case "reply_word":
                self.replies[-1].words.append((message["text"], message["end"]))
            case "reply_ended":
                self.replies[-1].samples = message["samples"]
            case "reply_cut":
                for reply in self.replies:
                    if reply.number == message["reply"]:
                        reply.cut_at = now
            case "notice":
                self.notices.append(f"{message['what']} {message['why']}")
            case "echo":
                self.echo_at = now
            case "error":
                raise AssertionError(message)

    def _on_reply_started(self, number: int) -> None:
        if self.replies and self.script.requests:
            last = self.replies[-1]
            self.contexts.append(compare(self.script.requests[-1], last.text, last.played_words))
        self.replies.append(PlayedReply(number))


@asynccontextmanager
async def talking(site: Site, ticket: str, script: Script) -> AsyncIterator[Talker]:
    url = f"{site.url.replace('http', 'ws')}/ws/talk/?ticket={ticket}"
    async with websockets.connect(url, origin=site.url, compression=None) as socket:
        talker = Talker(socket, script)
        await talker.open()
        running = asyncio.create_task(talker.run())
        try:
            yield talker
            await talker.close()
            async with asyncio.timeout(TIMEOUT):
                await running
        finally:
            running.cancel()
            await asyncio.wait([running])
