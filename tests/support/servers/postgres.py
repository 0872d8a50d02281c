"""A real PostgreSQL with its own cluster for one test run, fast because it doesn't sync to disk."""

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

NO_SYNC = ["-c", "fsync=off", "-c", "full_page_writes=off"]


class Postgres(Child):
    def __init__(self) -> None:
        postgres = programs.postgres()
        # Not in pytest's folder: run by root, only root can read that, and PostgreSQL refuses to run as root.
        self.folder = Path(tempfile.mkdtemp(prefix="speech-postgres-"))
        process_user: dict[str, Any] = {"cwd": self.folder}
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres", "postgres")
            process_user |= {"user": "postgres", "group": "postgres", "extra_groups": []}
        data, port = str(self.folder / "data"), str(free_port())
        self._server = f"postgres://postgres@127.0.0.1:{port}"
        initdb = [str(Path(postgres).with_name("initdb")), "--pgdata", data, "--username=postgres", "--auth=trust"]
        subprocess.run(
            [*initdb, "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True,
            stdout=subprocess.DEVNULL,
            **process_user,
        )
        listening = ["-h", "127.0.0.1", "-p", port, "-k", str(self.folder)]
        super().__init__([postgres, "-D", data, *listening, *NO_SYNC], self.folder / "postgres.log", **process_user)

    def start(self) -> None:
        super().start()
        self.wait_until(self._is_responding)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """Stop with SIGINT, which closes open connections instead of waiting for them."""
        super().stop(number)
        shutil.rmtree(self.folder)

    def crash(self) -> None:
        """Abort and break all connections; `start` recovers committed data."""
        Child.stop(self, signal.SIGQUIT)

    def new_database(self, template: str = "") -> str:
        """Create a database, deleted with the cluster. Returns its URL. `template`: URL of a database to copy, which
        must have no connections."""
        name, template = f"test_{uuid4().hex}", template.rpartition("/")[2] or "template1"
        with psycopg.connect(f"{self._server}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
        return f"{self._server}/{name}"

    def _is_responding(self) -> bool:
        try:
            psycopg.connect(f"{self._server}/postgres").close()
        except psycopg.OperationalError:
            return False
        return True
