"""Decoding of an untrusted file on standard input.

It has none of the site's code, no environment, may write no file, and has limits on memory and time, because the files
are untrusted and FFmpeg's libraries are old and large. `check` reads the file to its end and prints its properties;
`decode` writes s16le, 24 kHz, one or two interleaved CHANNELS, from sample START. A file that declares more than LIMIT
samples is not decoded; of one that declares none, both end after LIMIT samples. An error is a line of JSON on standard
error, with exit status 1.
"""

import dataclasses
import json
import resource
import sys

import av

from .formats.kinds import kind_of
from .recording import Recording
from .timeline import RATE

MEMORY = 1 << 31
"""Bytes of address space; the libraries themselves take half a gigabyte of it."""
PROCESSOR_TIME = 1_800
"""Seconds. Six hours of MP3 take one minute."""


def main(task: str, start: int, limit: int, channels: int) -> int:
    """`task`: check or decode."""
    set_limits()
    try:
        if task == "check":
            print(json.dumps(check(limit)))
        else:
            write(start, limit, channels)
    except (av.FFmpegError, MemoryError, ValueError) as error:
        name = kind_of(sys.stdin.buffer) or "unreadable"
        print(json.dumps({"error": name, "detail": str(error)}), file=sys.stderr)
        return 1
    except LookupError as error:
        print(json.dumps({"error": error.args[0]}), file=sys.stderr)
        return 1
    return 0


def set_limits() -> None:
    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_CPU: PROCESSOR_TIME,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 16,
    }
    for limit, value in limits.items():
        resource.setrlimit(limit, (value, value))


def check(limit: int) -> dict[str, object]:
    """Return the number of `samples`, and what was found in the file."""
    recording = Recording(sys.stdin.buffer, channels=1)
    samples = sum(len(pcm) for pcm in recording.decode(limit))
    found = recording.found
    if not samples or found.broken > found.whole:
        raise ValueError(f"{found.broken} packets are broken, {found.whole} are whole")
    if samples > limit:
        found.is_truncated = False
    return {"samples": samples, **dataclasses.asdict(found), "canceled": found.canceled / RATE}


def write(start: int, limit: int, channels: int) -> None:
    position = 0
    for pcm in Recording(sys.stdin.buffer, channels).decode(limit):
        if position + len(pcm) > start:
            sys.stdout.buffer.write(pcm[max(0, start - position) :].tobytes())
        position += len(pcm)
