"""The voices page's WebSocket through real processes, with an engine whose audio is a function of the words."""

import asyncio
import json
import signal
import time
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
import websockets

from inference.engines.testing.tones import pcm_of
from tests.support.clients.sockets import live_socket, tickets

TONES = {"STT_ENGINE": "checksum", "TTS_ENGINE": "tones"}


class VoiceSocket:
    def __init__(self, socket) -> None:
        self.socket = socket
        self.pcm = b""
        self.received: list[dict] = []

    async def speak(self, *texts, **start):
        await self.send(type="start", **start)
        for text in texts:
            await self.send(type="text", text=text)
        await self.send(type="finish")

    async def send(self, **message) -> None:
        await self.socket.send(json.dumps(message))

    async def next(self) -> dict | bytes:
        message = await self.socket.recv()
        if isinstance(message, str):
            self.received.append(json.loads(message))
            return self.received[-1]
        self.pcm += message
        return message

    async def closed(self, within=60.0, acknowledges=True):
        """Receive until the server closes. Returns the close code and the last error message, or {}."""
        async with asyncio.timeout(within):
            try:
                while True:
                    await self.next()
                    if acknowledges and self.pcm and not (len(self.pcm) // 2) % 19_200:
                        with suppress(websockets.ConnectionClosed):  # its last messages are still to be read
                            await self.send(type="ack", sample=len(self.pcm) // 2)
            except websockets.ConnectionClosed:
                pass
        errors = [message for message in self.received if message["type"] == "error"]
        return self.socket.close_code, errors[-1] if errors else {}


@asynccontextmanager
async def voice_socket(site, ticket):
    url = f"{site.url.replace('http', 'ws')}/ws/voices/?ticket={ticket}"
    async with websockets.connect(
        url, origin=site.url, compression=None, close_timeout=1, ping_interval=None
    ) as socket:
        yield VoiceSocket(socket)


def wait_until_all_slots_are_free(site):
    def are_free():
        site.web.process.send_signal(signal.SIGUSR1)
        time.sleep(0.2)
        lines = [line for line in site.log.splitlines() if "slots free" in line]
        free, _, slots = lines[-1].partition(", ")[2].rpartition(", ")[2].split()[:3]
        return free == slots

    site.web.wait_until(are_free, within=60)


async def test_a_text_is_spoken_completely(site):
    async with voice_socket(site, *tickets(site)) as socket:
        await socket.speak("One two, thr", "ee in 1996. ", voice="low")
        assert await socket.closed() == (1000, {})
    assert socket.pcm == pcm_of("One two, three in nineteen ninety-six.", "low")
    spoken = [message["text"] for message in socket.received if message["type"] == "spoken_word"]
    assert spoken[:3] == ["One", "two,", "three"]
    assert socket.received[-1]["samples"] == len(socket.pcm) // 2


INVALID = [
    ({}, "", "No text to speak"),
    ({}, "😀 \x07", "No text to speak"),
    ({"voice": "missing"}, "Hi", "not found"),
    ({"controls": {"speed": 99}}, "Hi", "out of range"),
    ({"controls": {"speed": "fast"}}, "Hi", "Invalid message"),
    ({}, "a" * 20_001, "too long"),
]


async def test_invalid_requests_are_refused_with_an_explanation(site):
    for ticket, (start, text, what) in zip(tickets(site, len(INVALID)), INVALID, strict=True):
        async with voice_socket(site, ticket) as socket:
            await socket.speak(text, **start)
            code, error = await socket.closed()
            assert (code, what in error["what"]) == (4008, True), error
    wait_until_all_slots_are_free(site)


async def test_aborts_leave_all_slots_free(site):
    for ticket in tickets(site, 5):
        async with voice_socket(site, ticket) as socket:
            await socket.speak("not played to its end " * 100)
            while not socket.pcm:
                await socket.next()
            socket.socket.transport.abort()
    wait_until_all_slots_are_free(site)
    site.assert_no_bugs()


async def test_too_much_text_is_refused_and_affects_no_other_client(site):
    one, two = tickets(site, 2)
    async with voice_socket(site, one) as socket, voice_socket(site, two) as other:
        await other.send(type="start")
        await other.send(type="text", text="One ")
        await socket.speak(*["word " * 3_000] * 8)
        closed, error = await socket.closed()
        assert (closed, error["what"]) == (4008, "The text is too long.")
        await other.send(type="finish")
        assert (await other.closed())[0] == 1000
    assert other.pcm == pcm_of("One")


@pytest.mark.slow
async def test_one_inference_process_runs_both_engines(redis_server, start_site):
    site = start_site(1, **TONES, REDIS_URL=redis_server.url)
    one, two = tickets(site, 2)
    async with voice_socket(site, one) as voice, live_socket(site, two) as live:
        assert (await live.start())["engine"] == "checksum"
        await voice.speak("Both at once.")
        assert await voice.closed() == (1000, {})
        await live.stop()
    assert voice.pcm == pcm_of("Both at once.")


@pytest.mark.slow
async def test_a_killed_engine_is_replaced_in_mid_sentence(redis_server, start_site):
    site = start_site(2, **TONES, TTS_SLOTS="2", REDIS_URL=redis_server.url)
    text = " ".join(f"word{number}" for number in range(200))
    async with AsyncExitStack() as stack:
        # One process has not enough slots for all three.
        sockets = [await stack.enter_async_context(voice_socket(site, ticket)) for ticket in tickets(site, 3)]
        for socket in sockets:
            await socket.speak(text)
            while len(socket.pcm) < 100_000:  # no more is generated than is acknowledged
                await socket.next()
        site.inference[0].kill()
        assert await asyncio.gather(*(socket.closed(within=60) for socket in sockets)) == [(1000, {})] * 3
    interrupted = [any(message["type"] == "interrupted" for message in socket.received) for socket in sockets]
    assert any(interrupted)
    for socket, was_interrupted in zip(sockets, interrupted, strict=True):
        spoken = [message["text"] for message in socket.received if message["type"] == "spoken_word"]
        assert list(dict.fromkeys(spoken)) == text.split()
        assert len(spoken) <= 200 + was_interrupted  # the interrupted word is spoken again


@pytest.mark.slow
async def test_a_client_that_acknowledges_nothing_gets_no_more_than_the_window(site):
    async with voice_socket(site, *tickets(site)) as socket:
        await socket.speak("word " * 300)
        with pytest.raises(TimeoutError):
            await socket.closed(within=2, acknowledges=False)
        assert 2 * 60_000 <= len(socket.pcm) <= 2 * (60_000 + 1920)
