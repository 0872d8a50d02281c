"""Who may know whom, as docs/architecture.md draws it. Only what is imported counts, wherever in a file it stands."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.environment import ROOT

SITE = ["accounts", "speech", "webhooks", "rest", "operations", "dsm_site"]
RUNS_THE_ENGINE = "speech/management/commands/serve.py"
"""The one-process default is the one file of the web side that may start an inference worker."""


def files(*folders: str, but: str = "") -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if not but or not path.is_relative_to(ROOT / but)]


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, dotted; of `from a import b` it is `a.b`, which may be a module too."""
    package = path.relative_to(ROOT).with_suffix("").parts
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else ()
            origin = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def known(paths: list[Path], *modules: str) -> list[str]:
    """Where one of `modules`, or something in it, is imported."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]


def test_inference_knows_nothing_of_the_site() -> None:
    assert known(files("inference", but="inference/management"), "django", *SITE) == []


def test_the_inference_command_knows_settings_but_no_app() -> None:
    assert known(files("inference"), *SITE) == []


def test_accounts_knows_nothing_of_speech() -> None:
    assert known(files("accounts"), "speech", "inference", "rest", "operations", "dsm_site") == []


def test_the_web_side_never_loads_a_model() -> None:
    assert known(files(*SITE), "torch", "moshi") == []


def test_the_web_side_knows_the_vocabulary_of_inference_and_nothing_behind_it() -> None:
    vocabulary = ("inference.messages", "inference.bundles", "inference.faults", "inference.tracing")
    found = known(files(*SITE, but=RUNS_THE_ENGINE), "inference")
    assert [line for line in found if not line.partition(" imports ")[2].startswith(vocabulary)] == []


# From the top: each may know those under it.
LAYERS = [
    ("pages", ["speech/views.py", "speech/urls.py", "speech/api.py", "speech/capacity.py", "speech/pages"]),
    ("dialects", ["speech/dialects", "speech/uploads", "speech/parts"]),
    (
        "stream",
        [
            "speech/stream.py",
            "speech/claiming.py",
            "speech/speaking.py",
            "speech/slot_search.py",
            "speech/admission.py",
            "speech/transcript.py",
            "speech/feed.py",
            "speech/tail.py",
            "speech/recording",
        ],
    ),
    ("link", ["speech/link.py", "speech/connection.py", "speech/waiting.py"]),
]


def modules_of(layer: list[str]) -> list[str]:
    return [part.removesuffix(".py").replace("/", ".") for part in layer]


@pytest.mark.parametrize("depth", range(1, len(LAYERS)), ids=[name for name, _ in LAYERS[1:]])
def test_nobody_knows_a_layer_above(depth: int) -> None:
    paths = [path for part in LAYERS[depth][1] for path in ([ROOT / part] if part.endswith(".py") else files(part))]
    above = [module for _, layer in LAYERS[:depth] for module in modules_of(layer)]
    assert known(paths, *above) == []


def test_every_layer_is_where_it_is_drawn() -> None:
    assert [part for _, layer in LAYERS for part in layer if not (ROOT / part).exists()] == []
