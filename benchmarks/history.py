"""What the pages of a long history cost: 10,000 sessions with 5,000,000 words, on SQLite and on PostgreSQL.

    python -m benchmarks.history [--sessions 10000] [--requests 200]

Server time of a request with everything that the site does for it: what this process and the database work for it,
so that whoever else uses the machine does not count; the time on the clock is told beside it. A user with ten sessions
in the same database is the baseline. Then how often a page asks the database, whatever it shows.
"""

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil

from tests.support.environment import without_own_settings
from tests.support.servers.postgres import Postgres

WORDS_PER_SESSION = 500  # on average: from 50 to 5,000
WORDS_PER_SEGMENT = 12
VOCABULARY = 20_000
FEW = 10  # sessions of the user who is the baseline
BOUND_MS = 150

Page = Callable[[random.Random], tuple[str, dict[str, str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        return measure(options.sessions, options.requests)
    with tempfile.TemporaryDirectory() as folder:
        run_on("SQLite", folder)
        postgres = Postgres()
        try:
            run_on("PostgreSQL", folder, DATABASE_URL=postgres.new_database())
        finally:
            postgres.stop()


def run_on(name: str, folder: str, **env: str) -> None:
    print(f"== {name}", flush=True)
    environment = without_own_settings() | {"DATA_DIR": str(Path(folder, name)), "LOG_LEVEL": "ERROR", **env}
    subprocess.run(
        [sys.executable, "-m", "benchmarks.history", *sys.argv[1:], "--measure"], env=environment, check=True
    )


# --- In the process that has the database -----------------------------------------------------------------------------


def measure(sessions: int, requests: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    few, many = fill(FEW, "few@example.org"), fill(sessions, "many@example.org")
    print(f"{count_of(many):,} words of {sessions:,} sessions; {requests} requests a page, times in ms")
    print(f"{'page':<32}{'p50':>7}{'p95':>7}{'max':>7}   {f'p95 of {FEW}':>10}{'ratio':>7}{'clock p95':>12}   queries")
    failed = [name for name, page in PAGES.items() if not tell(name, page, few, many, requests)]
    print(f"over {BOUND_MS} ms: {', '.join(failed) or 'none'}")


def tell(name: str, page: Page, few: Any, many: Any, requests: int) -> bool:
    baseline, _ = timed(few, page, requests // 4)
    times, clock = timed(many, page, requests)
    queries = {counted(user, page, seed) for user in (few, many) for seed in range(5)}
    p95, base = quantile(times, 0.95), quantile(baseline, 0.95)
    print(
        f"{name:<32}{quantile(times, 0.5):>7.1f}{p95:>7.1f}{max(times):>7.1f}   {base:>10.1f}{p95 / base:>7.1f}"
        f"{quantile(clock, 0.95):>12.1f}   {'/'.join(map(str, sorted(queries)))}",
        flush=True,
    )
    return p95 <= BOUND_MS


def quantile(times: list[float], share: float) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[round(100 * share) - 1]


def timed(user: Any, page: Page, requests: int) -> tuple[list[float], list[float]]:
    """What each request was worked for, and how long it took on the clock; ms."""
    client, chance, work = client_of(user), random.Random(1), Work()
    ask(client, page, chance, user)  # templates are read once
    times, clock = [], []
    for _ in range(requests):
        worked, began = work.seconds(), time.perf_counter()
        ask(client, page, chance, user)
        clock.append(1000 * (time.perf_counter() - began))
        times.append(1000 * (work.seconds() - worked))
    return times, clock


class Work:
    """Seconds of processor time of this process and of the database's that works for it."""

    def __init__(self) -> None:
        from django.db import connection

        self._database = None
        if connection.vendor == "postgresql":
            connection.ensure_connection()
            self._database = psutil.Process(connection.connection.info.backend_pid)

    def seconds(self) -> float:
        worked = time.process_time()
        if self._database:
            times = self._database.cpu_times()
            worked += times.user + times.system
        return worked


def counted(user: Any, page: Page, seed: int) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(user)
    with CaptureQueriesContext(connection) as queries:
        ask(client, page, random.Random(seed), user)
    return len(queries)


def client_of(user: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def ask(client: Any, page: Page, chance: random.Random, user: Any) -> None:
    chance.user = user  # type: ignore[attr-defined]
    address, wanted = page(chance)
    response = client.get(address, wanted)
    assert response.status_code == 200, (address, response.status_code)


# --- The pages --------------------------------------------------------------------------------------------------------


def any_session(chance: random.Random) -> str:
    ids = IDS[chance.user.pk]  # type: ignore[attr-defined]
    return f"/sessions/{chance.choice(ids)}/"


def any_page(chance: random.Random) -> str:
    return str(chance.randint(1, max(1, len(IDS[chance.user.pk]) // 30)))  # type: ignore[attr-defined]


IDS: dict[int, list[str]] = {}
PAGES: dict[str, Page] = {
    "list, newest": lambda chance: ("/sessions/", {}),
    "list, any page": lambda chance: ("/sessions/", {"page": any_page(chance)}),
    "list, by title, any page": lambda chance: ("/sessions/", {"sort": "title", "page": any_page(chance)}),
    "list, of a tag": lambda chance: ("/sessions/", {"tag": f"tag {chance.randrange(5)}"}),
    "search, a common word": lambda chance: ("/sessions/", {"q": word(chance.randrange(20))}),
    "search, a rare word": lambda chance: ("/sessions/", {"q": word(chance.randrange(2_000, VOCABULARY))}),
    "search, two words": lambda chance: (
        "/sessions/",
        {"q": f"{word(chance.randrange(50))} {word(chance.randrange(500))}"},
    ),
    "search, three letters": lambda chance: ("/sessions/", {"q": word(chance.randrange(500))[:3]}),
    "search, a phrase, in a tag": lambda chance: (
        "/sessions/",
        {"q": f'"{word(chance.randrange(9))} {word(chance.randrange(9))}"', "tag": f"tag {chance.randrange(5)}"},
    ),
    "detail": lambda chance: (any_session(chance), {}),
    "detail, from a search": lambda chance: (any_session(chance), {"q": word(3)}),
}


# --- What was said ----------------------------------------------------------------------------------------------------

SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


def word(rank: int) -> str:
    """The words of a language of its own, rank 0 being the most common."""
    syllables = []
    rank += len(SYLLABLES)
    while rank:
        rank, last = divmod(rank, len(SYLLABLES))
        syllables.append(SYLLABLES[last])
    return "".join(syllables)


def fill(sessions: int, email: str) -> Any:
    """A user with so many sessions, of words that are as common as those of a real language."""
    from django.db import connection, transaction

    from accounts.models import User
    from speech.models import Session, Tag

    chance = random.Random(email)
    user = User.objects.create_user(email, status="approved")
    tags = [Tag.objects.create(owner=user, name=f"tag {n}") for n in range(5)]
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 2) for rank in range(VOCABULARY)))
    with transaction.atomic(), quickly(connection):
        for first in range(0, sessions, 500):
            made, segments, words = [], [], []
            for n in range(first, min(sessions, first + 500)):
                count = round(min(5_000, max(50, chance.lognormvariate(0, 0.8) * WORDS_PER_SESSION * 0.73)))
                said = chance.choices(vocabulary, cum_weights=weights, k=count)
                title = f"{vocabulary[chance.randrange(5000)]} {n}" if n % 3 == 0 else ""
                session = session_of(user, n, sessions - n, said, title, chance.choice(["en", "fr"]))
                made.append(session)
                segments += parts_of(session, said)
                words += (spoken(session, index, text) for index, text in enumerate(said))
            Session.objects.bulk_create(made)
            Session.tags.through.objects.bulk_create(
                Session.tags.through(session=session, tag=chance.choice(tags)) for session in made
            )
            store(connection, "speech_segment", SEGMENT, segments)
            store(connection, "speech_word", WORD, words)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    connection.close()
    IDS[user.pk] = [str(pk) for pk in Session.objects.filter(owner=user).values_list("pk", flat=True)]
    return user


def session_of(user: Any, number: int, hours_ago: int, said: list[str], title: str, language: str) -> Any:
    """Ids rise, so that indexes are filled from one end: else most of the time goes into their pages."""
    from django.utils import timezone

    from speech.models import Session

    began = timezone.now() - timedelta(hours=hours_ago)
    return Session(
        id=UUID(int=(user.pk << 64) + number),
        owner=user,
        engine="checksum",
        language=language,
        created_at=began,
        started_at=began,
        ended_at=began,
        samples=len(said) * 10_000,
        opening=" ".join(said[:40]),
        title=title,
    )


@contextmanager
def quickly(connection: Any) -> Iterator[None]:
    """What a database does for each row it does once, after the last; what was measured later is as always."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no row asks whether its session is there
            cursor.execute("SET LOCAL statement_timeout = 0")
            yield
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'speech_segment'")
        triggers = cursor.fetchall()
        cursor.execute("SELECT coalesce(max(id), 0) FROM speech_segment")
        last = cursor.fetchone()[0]
        for name, _ in triggers:
            cursor.execute(f"DROP TRIGGER {name}")
        yield
        cursor.execute(
            "INSERT INTO speech_search (rowid, owner, text) SELECT segment.id, owner_id, text "
            "FROM speech_segment segment JOIN speech_session session ON session.id = session_id "
            "WHERE segment.id > %s ORDER BY segment.id",
            [last],
        )
        for _, sql in triggers:
            cursor.execute(sql)


SEGMENT = ("session_id", "index", "start", "end", "text", "speaker")
WORD = ("session_id", "segment_index", "index", "text", "start", "end", "confidence")


def parts_of(session: Any, said: list[str]) -> Iterator[tuple[Any, ...]]:
    for index, first in enumerate(range(0, len(said), WORDS_PER_SEGMENT)):
        part = said[first : first + WORDS_PER_SEGMENT]
        start = first * 0.4
        yield session.pk, index, start, start + 0.4 * len(part), " ".join(part), ""


def spoken(session: Any, index: int, text: str) -> tuple[Any, ...]:
    start = round(index * 0.4, 2)
    return session.pk, index // WORDS_PER_SEGMENT, index, text, start, start + 0.35, 0.9 if index % 17 else 0.1


def store(connection: Any, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Past the ORM, for which five million rows are a quarter of an hour."""
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            values = ", ".join(["%s"] * len(columns))
            cursor.executemany(
                f"INSERT INTO {table} ({names}) VALUES ({values})", [(row[0].hex, *row[1:]) for row in rows]
            )


def count_of(user: Any) -> int:
    from speech.models import Word

    return Word.objects.filter(session__owner=user).count()


if __name__ == "__main__":
    main()
