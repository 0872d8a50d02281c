"""Which executors run an engine: the child processes of one that holds the GIL, or a thread of this process."""

from inference.engines import EngineInfo
from inference.executors.base import Executor
from inference.executors.inline import InlineExecutor
from inference.executors.subprocess import SubprocessExecutor
from inference.executors.thread import ThreadExecutor


def executors_for(info: EngineInfo, slots: int) -> list[Executor]:
    """The hosts that give `slots` slots of an engine, 0: as many as it carries; each steps its slots together."""
    if info.preset:
        return [ThreadExecutor(info.name, slots)]
    if info.in_subprocess and not slots:
        return [SubprocessExecutor(info.name, 0) for _ in range(info.max_subprocesses)]
    if info.in_subprocess:
        children = -(-slots // info.slots_per_subprocess)
        children = min(children, info.max_subprocesses or children)
        return [
            SubprocessExecutor(info.name, slots // children + (child < slots % children)) for child in range(children)
        ]
    return [InlineExecutor(info.name, slots)]
