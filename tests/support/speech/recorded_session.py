"""A session with audio, created by streaming a recording to a running site as fast as it accepts it."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tests.support.clients.sockets import live_socket, tickets
from tests.support.servers.site import Site
from tests.support.speech.audio import Recording

STOP_TIMEOUT = 90.0  # seconds; enough for a busy machine


def speak(site: Site, recording: Recording, email: str) -> str:
    """Create the session and return its id. Runs in a thread, because Playwright keeps an event loop in this one."""
    (ticket,) = tickets(site, email=email)
    pcm = recording.samples(24_000, silence_after=1).tobytes()
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, _speak(site, ticket, pcm)).result()


async def _speak(site: Site, ticket: str, pcm: bytes) -> str:
    async with live_socket(site, ticket) as socket:
        await socket.start(audio=True)
        await socket.send_audio(pcm)
        done = await socket.stop(within=STOP_TIMEOUT)
    return str(done["session"])
