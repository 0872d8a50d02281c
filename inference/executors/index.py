"""Chooses an engine's executors: child processes, a thread or the event loop of this process."""

from inference.engines.registry import EngineInfo
from inference.executors.base import Executor
from inference.executors.inline import InlineExecutor
from inference.executors.subprocess import SubprocessExecutor
from inference.executors.thread import ThreadExecutor


def executors_for(info: EngineInfo, slots: int) -> list[Executor]:
    """The executors that provide `slots` slots of an engine, 0: as many as it carries; each steps its own together."""
    if info.preset:
        return [ThreadExecutor(info.name, slots)]
    if info.in_subprocess and not slots:
        return [SubprocessExecutor(info.name, 0) for _ in range(info.max_subprocesses)]
    if info.in_subprocess:
        processes = -(-slots // info.slots_per_subprocess)
        processes = min(processes, info.max_subprocesses or processes)
        return [
            SubprocessExecutor(info.name, slots // processes + (index < slots % processes))
            for index in range(processes)
        ]
    return [InlineExecutor(info.name, slots)]
