"""A real, empty Redis without persistence, for one test run."""

from pathlib import Path

import redis

from tests.support.servers import programs
from tests.support.servers.child import Child
from tests.support.servers.ports import free_port


class Redis(Child):
    def __init__(self, folder: Path) -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis.from_url(self.url)
        options = {"--port": str(port), "--bind": "127.0.0.1", "--save": "", "--appendonly": "no", "--dir": str(folder)}
        command = [programs.redis_server(), *(part for option in options.items() for part in option)]
        super().__init__(command, folder / "redis.log")

    def start(self) -> None:
        super().start()
        self.wait_until(self._is_responding)

    def keys(self) -> list[str]:
        return sorted(key.decode() for key in self.client.scan_iter())

    def _is_responding(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False
