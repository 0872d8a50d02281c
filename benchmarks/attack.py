"""Attacks the site from outside: `python -m benchmarks.attack [SCENARIO …]`. Takes some ten minutes.

- connections: slow and silent ones, and how a visitor is served meanwhile
- bodies: 600 MB to pages and APIs, with and without credentials, and what the site reads and stores of them
- lockout: failed logins for a user's account, directly and behind the shipped nginx, and whether the user can log in
- texts: the largest permitted text, degenerate, in each page and API, and how long the process is busy or blocked
- hogs: one account takes all disk space, slots and encoders that it can get
- rejections: sockets opened while their account is rejected or their token revoked, and how many stay open

Starts the real processes. Exits with 1 if the site breaks a promise of docs/security.md. The attacker shares this
machine, so times are longer than in reality.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout

import psutil

from benchmarks.support.attack import bodies, connections, hogs, lockout, rejections, texts
from benchmarks.support.attack.results import Table

SCENARIOS: dict[str, Callable[[], Iterator[Table]]] = {
    "connections": connections.run,
    "bodies": bodies.run,
    "lockout": lockout.run,
    "texts": texts.run,
    "hogs": hogs.run,
    "rejections": rejections.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], metavar="SCENARIO", help="default: all")
    scenarios = parser.parse_args().scenario or list(SCENARIOS)
    print(f"{psutil.cpu_count()} cores, shared with the attacker", flush=True)
    broken: list[str] = []
    for name in scenarios:
        with redirect_stdout(sys.stderr):  # the sites' logs
            for table in SCENARIOS[name]():
                with redirect_stdout(sys.__stdout__):
                    table.print()
                broken += table.broken
    print(f"\n{len(broken)} promises broken")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
