"""Duration of a backup and its restore for a site with a million words: `python -m benchmarks.backup`.

From SQLite and from PostgreSQL; the restore goes to an empty database of the other kind, as when a site moves.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.environment import ROOT, without_own_settings
from tests.support.servers.postgres import Postgres


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=2_000, help="number of sessions, of 500 words each on average")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill:
        return fill(options.sessions)
    postgres = Postgres()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for origin, target in (("SQLite", "PostgreSQL"), ("PostgreSQL", "SQLite")):
                measure(Path(folder, origin), origin, target, postgres)
    finally:
        postgres.stop()


def measure(folder: Path, origin: str, target: str, postgres: Postgres) -> None:
    full, empty = (environment(folder / name, name, postgres) for name in (origin, target))
    subprocess.run([sys.executable, "-m", "benchmarks.backup", *sys.argv[1:], "--fill"], env=full, check=True)
    seconds = timed("backup", str(folder / "backups"), env=full)
    (file,) = (folder / "backups").glob("*.tar")
    print(f"backup of {origin:10} {seconds:6.0f} s, {file.stat().st_size / 1e6:.0f} MB")
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], env=empty, cwd=ROOT, check=True)
    print(f"restore to {target:10} {timed('restore', str(file), env=empty):6.0f} s")
    print(f"peak memory so far    {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e3:.0f} MB", flush=True)


def environment(data: Path, name: str, postgres: Postgres) -> dict[str, str]:
    data.mkdir(parents=True)
    database = {"DATABASE_URL": postgres.new_database()} if name == "PostgreSQL" else {}
    return without_own_settings() | {"DATA_DIR": str(data), "LOG_LEVEL": "ERROR", **database}


def timed(*command: str, env: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "manage.py", *command], env=env, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def fill(sessions: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks import history

    call_command("migrate", interactive=False, verbosity=0)
    print(
        f"{history.word_count(history.fill(sessions, 'many@example.org')):,} words of {sessions:,} sessions", flush=True
    )


if __name__ == "__main__":
    main()
