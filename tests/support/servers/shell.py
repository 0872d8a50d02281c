"""A site's `manage.py shell` that is kept open: to start one for each question takes most of a second."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from tests.support.environment import ROOT

ANSWER_EACH_LINE = """
import contextlib, io, json, sys, traceback
from django.db import connections
for line in sys.stdin:
    printed, failed = io.StringIO(), ""
    try:
        with contextlib.redirect_stdout(printed):
            exec(json.loads(line), {})
    except Exception:
        failed = traceback.format_exc()
    connections.close_all()
    for connection in connections.all():
        getattr(connection, "close_pool", int)()  # the database may be another one next time
    print(json.dumps([printed.getvalue(), failed]), flush=True)
"""


class Shell:
    def __init__(self, manage: Sequence[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*manage, "shell", "--verbosity=0", "--command", ANSWER_EACH_LINE],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """Run Python with the site's models at hand: what it printed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "The shell ended; what it said about it is above."
        printed, failed = json.loads(answer)
        assert not failed, f"{failed}\n{printed}"
        return str(printed)

    def close(self) -> None:
        self._process.communicate()  # closes its input, at which it ends
