"""The import rules of docs/architecture.md. They apply to every import in a file except those under TYPE_CHECKING."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.support.environment import ROOT

APPS = ["operations", "api", "webhooks", "speech", "accounts", "dsm_site"]
STARTS_INFERENCE = "operations/management/commands/serve.py"
"""The only file of the web side that may start an inference worker: `serve` runs both in one process."""

LAYERS = {
    "speech": [
        ["urls", "apps", "templatetags", "management", "migrations"],
        ["pages"],
        ["dialects", "uploads"],
        ["batch", "dialogue"],
        ["synthesis"],
        ["live"],
        ["library"],
        ["models"],
        ["gateway", "llm"],
        ["metrics"],
        ["events", "errors", "text", "disk_space", "egress_guard"],
    ],
    "inference": [
        ["management"],
        ["worker"],
        ["scheduler"],
        ["slots"],
        ["streams", "outbox"],
        ["executors", "observability"],
        ["engines"],
        ["loading"],
        ["engine"],
        ["messages"],
    ],
    "accounts": [
        ["urls", "apps", "admin", "templatetags", "management", "migrations", "context_processors"],
        ["profile", "signup", "form_limit"],
        ["approvals"],
        ["credentials"],
        ["email_addresses"],
        ["models"],
        ["mail", "authority"],
        ["scopes", "metrics", "time_zone"],
    ],
}
"""Layers of the entries of a package, from the top: an entry may import only from layers below its own."""


def python_files(*folders: str, without: str = "") -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if not without or not path.is_relative_to(ROOT / without)]


@cache
def imports(path: Path) -> list[str]:
    """Dotted names of all imports of a file; `from a import b` gives `a.b`, because `b` may be a module."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    package = path.relative_to(ROOT).with_suffix("").parts
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else ()
            origin = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{origin}.{alias.name}" for alias in node.names)
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes += ast.iter_child_nodes(node)


def imports_of(paths: list[Path], *modules: str) -> list[str]:
    """Imports of one of `modules`, or of something in it, with their files."""
    return [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in paths
        for name in imports(path)
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]


def entries(folder: str) -> set[str]:
    """The modules and packages in a folder."""
    paths = (path for path in (ROOT / folder).iterdir() if path.suffix == ".py" or any(path.rglob("*.py")))
    return {path.stem for path in paths} - {"__init__"}


def graph(folder: str) -> dict[str, set[str]]:
    """For each entry of a folder, the others in the folder that it imports."""
    prefix = f"{folder.replace('/', '.')}."
    known = entries(folder)
    return {
        entry: {
            name.removeprefix(prefix).partition(".")[0]
            for path in [*python_files(f"{folder}/{entry}"), ROOT / folder / f"{entry}.py"]
            if path.exists()
            for name in imports(path)
            if name.startswith(prefix)
        }
        & known - {entry}
        for entry in known
    }


def test_inference_imports_neither_django_nor_an_app() -> None:
    assert imports_of(python_files("inference", without="inference/management"), "django") == []
    assert imports_of(python_files("inference"), *APPS) == []


def test_accounts_imports_no_other_app() -> None:
    assert imports_of(python_files("accounts"), "inference", *set(APPS) - {"accounts"}) == []


def test_speech_imports_no_app_above_it() -> None:
    assert imports_of(python_files("speech"), "operations", "api", "webhooks", "dsm_site") == []


def test_the_web_side_never_imports_torch() -> None:
    assert imports_of(python_files(*APPS), "torch", "moshi") == []


def test_the_web_side_imports_messages_and_reports_of_inference_only() -> None:
    allowed = (
        "inference.messages",
        "inference.outbox",
        "inference.observability.recent_errors",
        "inference.observability.tracing",
    )
    found = imports_of(python_files(*APPS, without=STARTS_INFERENCE), "inference")
    assert [line for line in found if not line.partition(" imports ")[2].startswith(allowed)] == []


@pytest.mark.parametrize("package", LAYERS)
def test_every_entry_of_a_package_has_a_layer(package: str) -> None:
    assert {entry for layer in LAYERS[package] for entry in layer} == entries(package)


@pytest.mark.parametrize("package", LAYERS)
def test_imports_go_down_the_layers(package: str) -> None:
    depth = {entry: number for number, layer in enumerate(LAYERS[package]) for entry in layer}
    found = [(entry, other) for entry, others in graph(package).items() for other in others]
    assert [(entry, other) for entry, other in found if depth[other] <= depth[entry]] == []


def folders() -> list[str]:
    packages = {path.parent for path in python_files(*APPS, "inference")}
    return sorted(str(path.relative_to(ROOT)) for path in packages)


@pytest.mark.parametrize("folder", folders())
def test_no_two_packages_import_each_other(folder: str) -> None:
    try:
        TopologicalSorter(graph(folder)).prepare()
    except CycleError as cycle:
        pytest.fail(" imports ".join(reversed(cycle.args[1])))
