"""The table of third-party clients in docs/clients.md."""

import ast

import pytest

from tests.support.clients import client_table
from tests.support.clients.third_party import FEATURES, Client
from tests.support.environment import ROOT

RUN = "Run `make test-clients`."


def marked() -> set[tuple[client_table.Key, str]]:
    """Clients and features of the marks in this folder's files, which need packages that may not be installed."""
    found = set()
    for file in (ROOT / "tests/clients").glob("test_*.py"):
        clients, marks = {}, []
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="Client"), args=args)):
                    clients[name] = tuple(ast.literal_eval(arg) for arg in args[:3])
                case ast.Call(func=ast.Attribute(attr="client"), args=[ast.Name(id=name), ast.Constant(value=feature)]):
                    marks.append((name, feature))
        found |= {(clients[name], feature) for name, feature in marks}
    return found


def test_it_has_every_client_and_feature_that_is_tested_and_no_other():
    rows = client_table.read()
    shown = {(key, feature) for key, row in rows.items() for feature in FEATURES if row[feature]}
    assert shown == marked(), RUN


def test_every_client_works_and_has_a_version():
    for row in client_table.read().values():
        assert row["version"], RUN
        assert "no" not in [row[feature] for feature in FEATURES], f"{row['client']}: {RUN}"


def test_results_replace_the_cells_of_their_client(tmp_path, monkeypatch):
    guide = tmp_path / "clients.md"
    guide.write_text(f"before\n{client_table.BEGIN}{client_table.END}after\n")
    monkeypatch.setattr(client_table, "GUIDE", guide)
    monkeypatch.setattr(client_table, "_results", {})
    names = Client("b", "PyPI: b", "OpenAI", lambda: "1.0"), Client("a", "npm: a", "Kyutai", lambda: "2.0")
    for results in ({(names[0], "recordings"): True, (names[1], "synthesis"): False}, {(names[1], "synthesis"): True}):
        client_table._results = results
        client_table.pytest_sessionfinish()
    assert guide.read_text().splitlines() == [
        "before",
        client_table.BEGIN.strip(),
        "| client | from | version | protocol | recordings | live speech | synthesis |",
        "|---|---|---|---|---|---|---|",
        "| a | npm: a | 2.0 | Kyutai |  |  | yes |",
        "| b | PyPI: b | 1.0 | OpenAI | yes |  |  |",
        client_table.END.strip(),
        "after",
    ]


@pytest.mark.parametrize("feature", [feature for _, feature in sorted(marked())])
def test_every_feature_is_a_column(feature):
    assert feature in FEATURES
