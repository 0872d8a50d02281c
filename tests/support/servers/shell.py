"""A site's `manage.py shell` that stays open, because starting one takes most of a second."""

import json
import subprocess
from collections.abc import Mapping, Sequence

from tests.support.environment import ROOT

EXECUTE_EACH_LINE = """
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
        getattr(connection, "close_pool", int)()  # the database may be replaced before the next line
    print(json.dumps([printed.getvalue(), failed]), flush=True)
"""


class Shell:
    def __init__(self, manage: Sequence[str], env: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [*manage, "shell", "--verbosity=0", "--command", EXECUTE_EACH_LINE],
            env=env,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, code: str) -> str:
        """Run Python code in the site and return what it printed."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(code) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "The shell exited; its error is above."
        printed, failed = json.loads(line)
        assert not failed, f"{failed}\n{printed}"
        return str(printed)

    def close(self) -> None:
        self._process.communicate()  # closes its input, which ends it
