"""The table of third-party clients in docs/clients.md, and the plugin of pytest that writes it after their tests:
`pytest -p tests.support.clients.client_table`."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.support.clients.third_party import FEATURES, Client
from tests.support.environment import ROOT

GUIDE = ROOT / "docs/clients.md"
BEGIN, END = "<!-- clients: written by make test-clients -->\n", "<!-- end of clients -->\n"
COLUMNS = ("client", "from", "version", "protocol", *FEATURES)

Row = dict[str, str]
"""Cells by column."""
Key = tuple[str, str, str]
"""Name, source and protocol of a client."""

_results: dict[tuple[Client, str], bool] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" or report.failed:
        for mark in item.iter_markers("client"):
            if not report.skipped:
                _results[mark.args] = _results.get(mark.args, True) and report.passed
    return report


def pytest_sessionfinish() -> None:
    rows = read()
    for (client, feature), passed in sorted(_results.items(), key=lambda result: result[0][0].name):
        key = (client.name, client.source, client.protocol)
        row = rows.setdefault(key, dict.fromkeys(COLUMNS, ""))
        row |= dict(zip(COLUMNS, (client.name, client.source, client.version(), client.protocol), strict=False))
        row[feature] = "yes" if passed else "no"
    write(rows)


def read() -> dict[Key, Row]:
    lines = GUIDE.read_text().partition(BEGIN)[2].partition(END)[0].splitlines()[2:]
    rows = [dict(zip(COLUMNS, (cell.strip() for cell in line.strip("| ").split("|")), strict=False)) for line in lines]
    return {key_of(row): dict.fromkeys(COLUMNS, "") | row for row in rows}


def key_of(row: Row) -> Key:
    return row["client"], row["from"], row["protocol"]


def write(rows: dict[Key, Row]) -> None:
    before, begin, rest = GUIDE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    lines = [line(COLUMNS), f"|{'---|' * len(COLUMNS)}"]
    lines += [line(rows[key].values()) for key in sorted(rows, key=lambda key: [part.casefold() for part in key])]
    table = "\n".join(lines)
    GUIDE.write_text(f"{before}{begin}{table}\n{END}{after}")


def line(cells: Any) -> str:
    return f"| {' | '.join(cells)} |"
