"""The child process of `SubprocessExecutor`: `python -m inference.executors.subprocess_main NAME SLOTS`.

Requests and responses are MessagePack prefixed with their length in four bytes, on standard input and output; the
process ends when its input does, so it never outlives its parent.
"""

import os
import signal
import sys
from typing import Any, BinaryIO

import msgspec
import numpy as np

from inference.engine import Engine, Frame, measures_capacity, voices_of
from inference.engines import registry
from inference.messages import Open


def main(name: str, slots: int) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and systemd signal all processes; the parent decides
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # end when the parent no longer reads
    requests, responses = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # output that a library prints goes to the log, not into the responses
    os.nice(5)  # connections have priority over decoding
    engine = registry.load(name, slots)
    _write(responses, msgspec.msgpack.encode((engine.slots, voices_of(engine), measures_capacity(engine))))
    while size := requests.read(4):
        method, arguments = msgspec.msgpack.decode(requests.read(int.from_bytes(size, "big")))
        _write(responses, msgspec.msgpack.encode(_call(engine, method, arguments)))


def _call(engine: Engine[Any], method: str, arguments: list[Any]) -> Any:
    match method:
        case "open":
            return engine.open(arguments[0], msgspec.convert(arguments[1], Open))
        case "steps":
            return [engine.step({slot: _input(raw) for slot, raw in inputs.items()}) for inputs in arguments[0]]
    return getattr(engine, method)(*arguments)


def _input(raw: bytes | str) -> Frame | str:
    return raw if isinstance(raw, str) else np.frombuffer(raw, np.float32)


def _write(stream: BinaryIO, response: bytes) -> None:
    stream.write(len(response).to_bytes(4, "big") + response)
    stream.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
