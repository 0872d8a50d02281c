"""Which executors run an engine: the child processes of one that holds the GIL, or a thread of this process."""

from inference.engines import EngineInfo
from inference.executors.base import Host
from inference.executors.inline import InLoop
from inference.executors.subprocess import InChild
from inference.executors.thread import InThread


def hosts_of(info: EngineInfo, slots: int) -> list[Host]:
    """The hosts that give `slots` slots of an engine, 0: as many as it carries; each steps its slots together."""
    if info.preset:
        return [InThread(info.name, slots)]
    if info.in_child and not slots:
        return [InChild(info.name, 0) for _ in range(info.most_children)]
    if info.in_child:
        children = -(-slots // info.slots_per_child)
        children = min(children, info.most_children or children)
        return [InChild(info.name, slots // children + (child < slots % children)) for child in range(children)]
    return [InLoop(info.name, slots)]
