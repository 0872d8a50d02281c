"""Response times of the pages of a long history: 10,000 sessions with 5,000,000 words, on SQLite and on PostgreSQL.

    python -m benchmarks.history [--sessions 10000] [--requests 200]

Prints the CPU time of this process and the database per request, which other load on the machine does not affect, next
to the elapsed time. The baseline is a user with ten sessions in the same database. Also prints the number of database
queries of each page.
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
BASELINE_SESSIONS = 10
LIMIT_MS = 150

Page = Callable[[random.Random], tuple[str, dict[str, str]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sessions", type=int, default=10_000, help="number of sessions")
    parser.add_argument("--requests", type=int, default=200, help="number of requests to each page")
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


# --- Measurement, in a process with the database's settings -----------------------------------------------------------


def measure(sessions: int, requests: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dsm_site.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", interactive=False, verbosity=0)
    few, many = fill(BASELINE_SESSIONS, "few@example.org"), fill(sessions, "many@example.org")
    print(f"{word_count(many):,} words of {sessions:,} sessions; {requests} requests per page, times in ms")
    print(
        f"{'page':<32}{'p50':>7}{'p95':>7}{'max':>7}   {f'p95 of {BASELINE_SESSIONS}':>10}{'ratio':>7}"
        f"{'elapsed p95':>12}   queries"
    )
    failed = [name for name, page in PAGES.items() if not measure_page(name, page, few, many, requests)]
    print(f"over {LIMIT_MS} ms: {', '.join(failed) or 'none'}")


def measure_page(name: str, page: Page, few: Any, many: Any, requests: int) -> bool:
    baseline, _ = timed(few, page, requests // 4)
    times, elapsed = timed(many, page, requests)
    queries = {query_count(user, page, seed) for user in (few, many) for seed in range(5)}
    p95, base = quantile(times, 0.95), quantile(baseline, 0.95)
    print(
        f"{name:<32}{quantile(times, 0.5):>7.1f}{p95:>7.1f}{max(times):>7.1f}   {base:>10.1f}{p95 / base:>7.1f}"
        f"{quantile(elapsed, 0.95):>12.1f}   {'/'.join(map(str, sorted(queries)))}",
        flush=True,
    )
    return p95 <= LIMIT_MS


def quantile(times: list[float], share: float) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[round(100 * share) - 1]


def timed(user: Any, page: Page, requests: int) -> tuple[list[float], list[float]]:
    """CPU time and elapsed time of each request, ms."""
    client, rng, cpu = client_of(user), random.Random(1), CpuTime()
    request(client, page, rng, user)  # loads templates
    times, elapsed = [], []
    for _ in range(requests):
        before, started = cpu.seconds(), time.perf_counter()
        request(client, page, rng, user)
        elapsed.append(1000 * (time.perf_counter() - started))
        times.append(1000 * (cpu.seconds() - before))
    return times, elapsed


class CpuTime:
    """CPU time of this process and of its database process."""

    def __init__(self) -> None:
        from django.db import connection

        self._database = None
        if connection.vendor == "postgresql":
            connection.ensure_connection()
            self._database = psutil.Process(connection.connection.info.backend_pid)

    def seconds(self) -> float:
        seconds = time.process_time()
        if self._database:
            times = self._database.cpu_times()
            seconds += times.user + times.system
        return seconds


def query_count(user: Any, page: Page, seed: int) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_of(user)
    with CaptureQueriesContext(connection) as queries:
        request(client, page, random.Random(seed), user)
    return len(queries)


def client_of(user: Any) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def request(client: Any, page: Page, rng: random.Random, user: Any) -> None:
    rng.user = user  # type: ignore[attr-defined]
    path, parameters = page(rng)
    response = client.get(path, parameters)
    assert response.status_code == 200, (path, response.status_code)


# --- The pages --------------------------------------------------------------------------------------------------------


def any_session(rng: random.Random) -> str:
    ids = IDS[rng.user.pk]  # type: ignore[attr-defined]
    return f"/sessions/{rng.choice(ids)}/"


def any_page(rng: random.Random) -> str:
    return str(rng.randint(1, max(1, len(IDS[rng.user.pk]) // 30)))  # type: ignore[attr-defined]


IDS: dict[int, list[str]] = {}
PAGES: dict[str, Page] = {
    "list, newest": lambda rng: ("/sessions/", {}),
    "list, any page": lambda rng: ("/sessions/", {"page": any_page(rng)}),
    "list, by title, any page": lambda rng: ("/sessions/", {"sort": "title", "page": any_page(rng)}),
    "list, of a tag": lambda rng: ("/sessions/", {"tag": f"tag {rng.randrange(5)}"}),
    "search, a common word": lambda rng: ("/sessions/", {"q": word(rng.randrange(20))}),
    "search, a rare word": lambda rng: ("/sessions/", {"q": word(rng.randrange(2_000, VOCABULARY))}),
    "search, two words": lambda rng: (
        "/sessions/",
        {"q": f"{word(rng.randrange(50))} {word(rng.randrange(500))}"},
    ),
    "search, three letters": lambda rng: ("/sessions/", {"q": word(rng.randrange(500))[:3]}),
    "search, a phrase, in a tag": lambda rng: (
        "/sessions/",
        {"q": f'"{word(rng.randrange(9))} {word(rng.randrange(9))}"', "tag": f"tag {rng.randrange(5)}"},
    ),
    "detail": lambda rng: (any_session(rng), {}),
    "detail, from a search": lambda rng: (any_session(rng), {"q": word(3)}),
}


# --- Test data --------------------------------------------------------------------------------------------------------

SYLLABLES = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]


def word(rank: int) -> str:
    """A word of an artificial language; rank 0 is the most common one."""
    syllables = []
    rank += len(SYLLABLES)
    while rank:
        rank, last = divmod(rank, len(SYLLABLES))
        syllables.append(SYLLABLES[last])
    return "".join(syllables)


def fill(sessions: int, email: str) -> Any:
    """Create a user with `sessions` sessions, whose word frequencies are like those of a real language."""
    from django.db import connection, transaction

    from accounts.models import User
    from speech.models import Session, Tag

    rng = random.Random(email)
    user = User.objects.create_user(email, status="approved")
    tags = [Tag.objects.create(owner=user, name=f"tag {n}") for n in range(5)]
    vocabulary = [word(rank) for rank in range(VOCABULARY)]
    weights = list(accumulate(1 / (rank + 2) for rank in range(VOCABULARY)))
    with transaction.atomic(), bulk_load(connection):
        for first in range(0, sessions, 500):
            created, segments, words = [], [], []
            for n in range(first, min(sessions, first + 500)):
                count = round(min(5_000, max(50, rng.lognormvariate(0, 0.8) * WORDS_PER_SESSION * 0.73)))
                texts = rng.choices(vocabulary, cum_weights=weights, k=count)
                title = f"{vocabulary[rng.randrange(5000)]} {n}" if n % 3 == 0 else ""
                session = session_of(user, n, sessions - n, texts, title, rng.choice(["en", "fr"]))
                created.append(session)
                segments += segment_rows(session, texts)
                words += (word_row(session, index, text) for index, text in enumerate(texts))
            Session.objects.bulk_create(created)
            Session.tags.through.objects.bulk_create(
                Session.tags.through(session=session, tag=rng.choice(tags)) for session in created
            )
            store(connection, "speech_segment", SEGMENT, segments)
            store(connection, "speech_word", WORD, words)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
    connection.close()
    IDS[user.pk] = [str(pk) for pk in Session.objects.filter(owner=user).values_list("pk", flat=True)]
    return user


def session_of(user: Any, number: int, hours_ago: int, texts: list[str], title: str, language: str) -> Any:
    """A session. IDs increase, so that indexes grow at one end: otherwise most time would go into index pages."""
    from django.utils import timezone

    from speech.models import Session

    started = timezone.now() - timedelta(hours=hours_ago)
    return Session(
        id=UUID(int=(user.pk << 64) + number),
        owner=user,
        engine="checksum",
        language=language,
        created_at=started,
        started_at=started,
        ended_at=started,
        samples=len(texts) * 10_000,
        opening=" ".join(texts[:40]),
        title=title,
    )


@contextmanager
def bulk_load(connection: Any) -> Iterator[None]:
    """Replace the work of triggers per row by one statement at the end; the resulting data is the same."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")  # no foreign key checks
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
            "INSERT INTO speech_search (rowid, owner, text) SELECT segment.id, owner_id, search "
            "FROM speech_segment segment JOIN speech_session session ON session.id = session_id "
            "WHERE segment.id > %s ORDER BY segment.id",
            [last],
        )
        for _, sql in triggers:
            cursor.execute(sql)


SEGMENT = ("session_id", "index", "start", "end", "text", "search", "speaker", "is_inserted")
WORD = ("session_id", "segment_index", "index", "text", "start", "end", "confidence")


def segment_rows(session: Any, texts: list[str]) -> Iterator[tuple[Any, ...]]:
    from django.db import connection

    from speech.models import Segment

    search = Segment._meta.get_field("search")
    for index, first in enumerate(range(0, len(texts), WORDS_PER_SEGMENT)):
        part = texts[first : first + WORDS_PER_SEGMENT]
        start = first * 0.4
        text = " ".join(part)
        indexed = search.get_db_prep_save(search.pre_save(Segment(text=text), add=True), connection)
        yield session.pk, index, start, start + 0.4 * len(part), text, indexed, "", False


def word_row(session: Any, index: int, text: str) -> tuple[Any, ...]:
    start = round(index * 0.4, 2)
    return session.pk, index // WORDS_PER_SEGMENT, index, text, start, start + 0.35, 0.9 if index % 17 else 0.1


def store(connection: Any, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Insert without the ORM, which takes a quarter of an hour for five million rows."""
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


def word_count(user: Any) -> int:
    from speech.models import Word

    return Word.objects.filter(session__owner=user).count()


if __name__ == "__main__":
    main()
