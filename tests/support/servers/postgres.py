"""A real PostgreSQL with a cluster of its own for one run of the tests, quick because it need not survive a crash."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from tests.support.servers import programs
from tests.support.servers.child import Child
from tests.support.servers.ports import free_port

FORGETFUL = ["-c", "fsync=off", "-c", "full_page_writes=off"]


class Postgres(Child):
    def __init__(self) -> None:
        postgres = programs.postgres()
        # Not pytest's folder: that is root's alone where root runs the tests, and PostgreSQL refuses to be root.
        self.folder = Path(tempfile.mkdtemp(prefix="speech-postgres-"))
        somebody: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            somebody |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        data, port = str(self.folder / "data"), str(free_port())
        self._server = f"postgres://postgres@127.0.0.1:{port}"
        initdb = [str(Path(postgres).with_name("initdb")), "--pgdata", data, "--username=postgres", "--auth=trust"]
        subprocess.run(
            [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync"], check=True, stdout=subprocess.DEVNULL, **somebody
        )
        listening = ["-h", "127.0.0.1", "-p", port, "-k", str(self.folder)]
        super().__init__([postgres, "-D", data, *listening, *FORGETFUL], self.folder / "postgres.log", **somebody)

    def start(self) -> None:
        super().start()
        self.wait_until(self._answers)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: connections that are still open are ended, not waited for."""
        super().stop(number)
        shutil.rmtree(self.folder)

    def crash(self) -> None:
        """End at once, its connections broken; `start` recovers what was committed."""
        Child.stop(self, signal.SIGQUIT)

    def new_database(self) -> str:
        """Its URL. It goes with the cluster."""
        name = f"test_{uuid4().hex}"
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"{self._server}/{name}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(f"{self._server}/postgres").close()
        except psycopg.OperationalError:
            return False
        return True
