"""The demo model's process: `python -I demo_server.py FOLDER WEIGHTS SLOTS CONTEXT`.

Serves the OpenAI API of llama.cpp on a Unix socket, FOLDER/llm.sock, and on no TCP port. Standard input is the API key
as its first line, because arguments are visible to other users of the machine; the process ends when its input does, so
it never outlives the site. It prints a line when it is ready. Errors go to standard error.
"""

import os
import shutil
import signal
import sys
from pathlib import Path

import xllamacpp

MAX_THREADS = 2
"""One per two cores and at most this number. The threads wait for each other in every step: two on two cores that the
speech engines use too gave 4 to 13 tokens per second, one gave 40. Speech needs about four."""
NICENESS = 5
"""Connections have priority over generation."""
ERRORS = 1
"""Verbosity of llama.cpp; the default logs each request."""


def main(folder: Path, weights: str, slots: int, context: int) -> None:
    """Serve until the end of the input. `context`: tokens of each slot."""
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C and systemd signal all processes; the parent decides
        signal.signal(number, signal.SIG_IGN)
    ready = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # output of llama.cpp goes to the log
    os.nice(NICENESS)
    os.umask(0o077)  # llama.cpp creates its socket with the default mode
    key = sys.stdin.readline().strip()
    server = xllamacpp.Server(_parameters(folder / "llm.sock", key, weights, slots, context))
    print("ready", server.listening_address, file=ready, flush=True)
    sys.stdin.read()
    shutil.rmtree(folder, ignore_errors=True)  # in case the site was killed before it could remove it
    os._exit(0)  # because the server's destructor waits for requests in progress


def _parameters(socket: Path, key: str, weights: str, slots: int, context: int) -> xllamacpp.CommonParams:
    socket.unlink(missing_ok=True)  # with the socket of a previous process, the server fails without an error
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.hostnames = [str(socket)]  # a path only if it ends with .sock
    parameters.port = 0
    parameters.api_keys = [key]
    parameters.n_parallel = slots
    parameters.n_ctx = slots * context
    threads = min(MAX_THREADS, max(1, (os.cpu_count() or 1) // 2))
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.cache_ram_mib = 0  # by default, prompts of ended conversations fill up to 8 GB
    parameters.cache_idle_slots = False
    parameters.ui = False
    parameters.offline = True
    parameters.verbosity = ERRORS
    return parameters


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
