"""Time until the rejection of an account closes its connections: `python -m benchmarks.rejection [--sockets N]`.

One user streams through N WebSockets of a site with Redis and a separate inference process; an administrator rejects
the account. Prints when the first and the last WebSocket were closed, and the close codes.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from tests.support.clients.sockets import live_socket, tickets
from tests.support.servers.redis import Redis
from tests.support.servers.site import Site, running_site
from tests.support.speech.checksum_audio import noise

REJECT = """
import time
from accounts.models import User
admin = User.objects.create_superuser("admin@example.org")
user = User.objects.get(email="speaker@example.org")
before = time.time()
user.reject(admin, "Because.")
print(before)
"""


async def reject(site: Site, sockets: int) -> tuple[list[float], set[int | None]]:
    """Seconds from the rejection to the end of each WebSocket, and the close codes."""
    ends: list[float] = []
    codes: set[int | None] = set()
    speaking = asyncio.Semaphore(0)

    async def speak(ticket: str) -> None:
        async with live_socket(site, ticket) as socket:
            await socket.start()
            await socket.send_audio(noise(10))
            speaking.release()
            code, _ = await socket.closed()
            ends.append(time.time())
            codes.add(code)

    async with asyncio.TaskGroup() as tasks:
        for ticket in tickets(site, sockets):
            tasks.create_task(speak(ticket))
        for _ in range(sockets):
            await speaking.acquire()
        printed = await asyncio.to_thread(site.shell, REJECT)
        before = float(printed.splitlines()[-1])  # the last line; the email is printed before
    return sorted(end - before for end in ends), codes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=20, help="number of WebSockets")
    sockets = parser.parse_args().sockets
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": str(sockets), "STREAMS_PER_USER": str(sockets)}
    with tempfile.TemporaryDirectory() as folder:
        redis = Redis(Path(folder))
        try:
            with running_site(Path(folder), 1, REDIS_URL=redis.url, **env) as site:
                seconds, codes = asyncio.run(reject(site, sockets))
        finally:
            redis.stop()
    print(
        f"{sockets} WebSockets: the first closed after {seconds[0]:.3f} s, the last after {seconds[-1]:.3f} s, {codes}"
    )


if __name__ == "__main__":
    main()
