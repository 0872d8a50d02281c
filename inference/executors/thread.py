"""Runs an engine in a thread of this process: the event loop continues while it computes.

One thread makes all calls, because moshi's CUDA graphs are not thread-safe. It is a daemon, so a shutdown does not wait
for a download.
"""

import asyncio
import gc
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from functools import partial
from queue import SimpleQueue
from typing import Any

from inference.engine import Engine, EngineLost, EngineUnusable, measures_capacity, slot_limits_of, voices_of
from inference.engines import registry
from inference.executors.base import Executor

logger = logging.getLogger(__name__)

CALL_TIMEOUT = 60.0
"""Seconds that one call may take; a step takes less than a tenth. It detects a hung GPU, which does not recover."""

STOP_TIMEOUT = 3.0
"""Seconds to wait at shutdown for the step in progress, but not for a download."""

_Job = tuple[Future[Any], Callable[[], Any]]


class ThreadExecutor(Executor):
    def __init__(self, name: str, slots: int) -> None:
        super().__init__(name, slots)
        self._requested_slots = slots
        self._lock = _torch_lock if registry.ENGINES[name].uses_torch else nullcontext()
        self._engine: Engine[Any]
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    async def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()
        self._engine = await self._run(self._load, seconds=None)
        self.slots = self._engine.slots
        self.voices = voices_of(self._engine)
        self.measures_capacity = measures_capacity(self._engine)
        self.slot_limits = slot_limits_of(self._engine)
        self.draining = getattr(self._engine, "draining", frozenset())
        self.progress = ""

    async def stop(self) -> None:
        """End the thread: one that still computes in torch when the process ends would abort the process."""
        self._jobs.put(None)
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, STOP_TIMEOUT)
        self._thread = None

    async def call(self, method: str, *arguments: Any) -> Any:
        return await self._run(partial(getattr(self._engine, method), *arguments), CALL_TIMEOUT)

    def _load(self) -> Engine[Any]:
        vars(self).pop("_engine", None)  # a lost engine holds memory that the next one needs
        gc.collect()
        return registry.load(self.name, self._requested_slots, self._report_progress)

    def _report_progress(self, note: str) -> None:
        self.progress = note
        logger.info("%s: %s", self.name, note)

    async def _run(self, call: Callable[[], Any], seconds: float | None) -> Any:
        future: Future[Any] = Future()
        self._jobs.put((future, call))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise EngineUnusable(f"{self.name} didn't respond within {seconds:.0f} s. {_RESTART}") from None
        except EngineUnusable:
            raise
        except Exception as error:
            if "CUDA error" in str(error):
                raise EngineUnusable(f"{self.name}: the GPU failed: {error}. {_RESTART}") from error
            raise EngineLost(f"{self.name} failed: {error!r}") from error

    def _work(self) -> None:
        while job := self._jobs.get():
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                with self._lock:
                    future.set_result(call())
            except BaseException as error:
                future.set_exception(error)


_torch_lock = threading.Lock()
"""Lets one engine on torch compute at a time: moshi keeps in globals whether it is capturing a CUDA graph."""

_RESTART = "Restart this process, or let a service manager do it."
