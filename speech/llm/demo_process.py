"""The process of the demo model: started when it is first used, and again if it has ended.

It ends with the site, when the pipe to it closes.
"""

import asyncio
import logging
import secrets
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import httpx2
from openai import AsyncOpenAI, OpenAIError

from speech.llm.demo import CONTEXT, EXAMPLES, SLOTS, URL, messages, weights
from speech.llm.errors import ModelError

logger = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("demo_server.py")
START_TIMEOUT = 60.0
"""Seconds. Measured: 1 on idle cores, 2.5 if the disk has to be read too, 10 on busy cores."""


class DemoFailed(ModelError):
    what = "The demo language model couldn't be started."
    why = "Its process ended or wasn't ready in time; the log has the cause."
    action = "Try again, or choose another language model."
    outcome = "unreachable"


async def openai_client() -> AsyncOpenAI:
    """Return the client of the demo model's process, and start the process if it isn't running.

    Call it again for each request: the process may have ended since. Raises `DemoFailed`.
    """
    try:
        server = DemoServer.current()
    except OSError as error:
        raise DemoFailed(why="The site can't create a folder for temporary files.") from error
    return await server.client()


async def stop() -> None:
    """End the process now, if there is one; otherwise it ends with the site."""
    await DemoServer.stop_current()


class DemoServer:
    """The process, with its private folder and a client for its socket, both of which remain when it is restarted."""

    _current: ClassVar["DemoServer | None"] = None

    @classmethod
    def current(cls) -> "DemoServer":
        """The server of this process, created on first use in the running event loop."""
        if cls._current is None or cls._current._loop is not asyncio.get_running_loop():
            cls._current = cls()
        return cls._current

    @classmethod
    async def stop_current(cls) -> None:
        if cls._current is not None and cls._current._loop is asyncio.get_running_loop():
            await cls._current._stop()
        cls._current = None

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._temporary = TemporaryDirectory(prefix="speech-demo-", ignore_cleanup_errors=True)
        self.folder = Path(self._temporary.name)  # its mode is 0700
        self._key = secrets.token_urlsafe()
        # No connection is kept, because the server closes some of them when they are used again.
        limits = httpx2.Limits(max_keepalive_connections=0)
        transport = httpx2.AsyncHTTPTransport(uds=str(self.folder / "llm.sock"), limits=limits)
        http_client = httpx2.AsyncClient(transport=transport)
        self._client = AsyncOpenAI(base_url=URL, api_key=self._key, max_retries=0, http_client=http_client)
        self._start: asyncio.Task[None] | None = None
        self._warm_up: asyncio.Task[None] | None = None
        self.process: Process | None = None

    async def client(self) -> AsyncOpenAI:
        if self._start is None or self._has_ended(self._start):
            self._start = asyncio.create_task(self._start_process())
        await asyncio.shield(self._start)  # others may wait for it too
        return self._client

    def _has_ended(self, start: "asyncio.Task[None]") -> bool:
        if not start.done():
            return False
        if start.cancelled() or start.exception():
            return True
        return self.process is None or self.process.returncode is not None

    async def _start_process(self) -> None:
        if self.process is not None:
            logger.warning("the demo model's process ended with status %s; restarting it", self.process.returncode)
        try:
            async with asyncio.timeout(START_TIMEOUT):
                self.process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", str(PROGRAM), str(self.folder), str(weights()), str(SLOTS), str(CONTEXT)),
                    stdin=PIPE,
                    stdout=PIPE,
                )
                await self._wait_until_ready(self.process)
                await self._evaluate_prompt(slot=0)
        except (OSError, TimeoutError, OpenAIError) as error:
            logger.exception("the demo model's process did not start")
            await self._kill_process()
            raise DemoFailed from error
        except BaseException:
            await self._kill_process()
            raise
        self._warm_up = asyncio.create_task(self._evaluate_prompt_in_other_slots())

    async def _wait_until_ready(self, process: Process) -> None:
        """Raises `ConnectionError` if the process ends before it is ready."""
        if process.stdin is None or process.stdout is None:
            raise ConnectionError("the process has no pipes")
        process.stdin.write(f"{self._key}\n".encode())
        await process.stdin.drain()
        if not await process.stdout.readline():
            raise ConnectionError(f"the process ended with status {await process.wait()}")

    async def _evaluate_prompt(self, slot: int) -> None:
        """Leave the beginning of all prompts in the slot's cache, which shortens the first answer by 0.3 s."""
        prompt: Any = [message._asdict() for message in messages([EXAMPLES[0]])]
        await self._client.chat.completions.create(
            model="", messages=prompt, max_tokens=1, extra_body={"id_slot": slot}
        )

    async def _evaluate_prompt_in_other_slots(self) -> None:
        """One after another, because the first answer may already be needed."""
        with suppress(OpenAIError):  # the process ended; the next request restarts it
            for slot in range(1, SLOTS):
                await self._evaluate_prompt(slot)

    async def _stop(self) -> None:
        tasks = [task for task in (self._start, self._warm_up) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._kill_process()
        await self._client.close()
        self._temporary.cleanup()

    async def _kill_process(self) -> None:
        """End the process at once: it has nothing to save."""
        if self.process is None:
            return
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
