"""A site whose limits are so small that tests reach them, also from this machine. Run as a program, its `serve`."""

import sys
from pathlib import Path
from typing import Any

from tests.support.environment import ROOT
from tests.support.servers.child import Child
from tests.support.servers.site import Site

CONNECTIONS = 8


class StrictSite(Site):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, {"STT_ENGINE": "checksum", "CONNECTIONS_PER_ADDRESS": str(CONNECTIONS)})

    def _child(self, command: str, log: str, *arguments: str, env: dict[str, str] | None = None) -> Child:
        return Child([sys.executable, "-m", __name__], self._folder / log, env or self.env, cwd=ROOT)


def serve() -> None:
    import os

    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "dsm_site.settings"
    django.setup()
    from django.core.management import call_command

    from operations import server
    from operations.connections import http_channel

    http_channel.HEADER_TIMEOUT = http_channel.BODY_WINDOW = http_channel.KEEP_ALIVE = 0.5
    http_channel.REJECTED_TIMEOUT = 0.5
    server._is_shared = lambda address: False
    run = server.Server.run

    def run_with_frequent_pings(self: Any) -> None:
        self.ping_interval = self.ping_timeout = 0.5
        run(self)

    server.Server.run = run_with_frequent_pings  # type: ignore[method-assign]
    call_command("serve")


if __name__ == "__main__":
    serve()
