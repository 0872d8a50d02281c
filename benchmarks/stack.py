"""The site as in production, on this machine, for experiments: `make stack`, or `python -m benchmarks.stack`.

Redis, PostgreSQL, two web and two inference processes, which need no further settings. Ctrl+C stops everything and
deletes its data.
"""

import argparse
import signal
import tempfile
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.support.servers.postgres import Postgres
from tests.support.servers.redis import Redis
from tests.support.servers.site import running_site


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--port", type=int, default=8000, help="port of the first web process; the others use the following ones"
    )
    parser.add_argument("--web", type=int, default=2, help="number of web processes")
    parser.add_argument("--inference", type=int, default=2, help="number of inference processes")
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the site; can be repeated"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="speech-stack-")))
        redis, postgres = Redis(folder), Postgres()
        stack.callback(postgres.stop)
        stack.callback(redis.stop)
        (folder / "site").mkdir()
        env = {"PORT": str(options.port), "REDIS_URL": redis.url, "DATABASE_URL": postgres.new_database()}
        env |= {"TTS_ENGINE": "piper,espeak", "STT_SLOTS": "0"} | dict(setting.split("=", 1) for setting in options.set)
        site = stack.enter_context(running_site(folder / "site", options.inference, **env))
        for number in range(1, options.web):
            site.add_web(str(options.port + number))
        print(f"\n  {options.web} web processes: {'  '.join(site.urls)}")
        print(f"  {options.inference} inference processes, {env['REDIS_URL']}, {env['DATABASE_URL']}")
        print(
            f"  Logs are in {folder / 'site'}. The first account becomes the administrator. Ctrl+C stops everything.\n"
        )
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            signal.pause()


if __name__ == "__main__":
    main()
