"""A pytest plugin that runs the collected tests against mutants of the modules in `MUTATED`, separated by spaces.

The tests run once to find out which lines each of them runs. Then each mutant gets the tests that run its line, the
fastest first, in a fork of this process in which the code of its functions is replaced; no file changes. A mutant
outside functions gets a new process that imports it. The outcomes are written to `MUTATION_RESULT` as JSON.
"""

import gc
import importlib.machinery
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

MAX_SECONDS = float(os.environ.get("MUTATION_SECONDS", "5"))
"""Of tests for one mutant; the fastest ones that run its line."""
OTHER_PROCESSES = ("site", "redis_server", "postgres_server")
"""Ends of the names of fixtures that run other processes, where no mutant is."""


@dataclass
class Run:
    """One test and what it does without a mutant."""

    item: pytest.Item
    seconds: float = 0.0
    lines: set[tuple[str, int]] = field(default_factory=set)
    is_new: bool = False


class MutantImporter(importlib.machinery.SourceFileLoader):
    """Imports the mutant instead of the module of the same path."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._mutated = source.encode()

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._mutated, self.path, "exec")

    @classmethod
    def install(cls, path: Path, source: str) -> None:
        name = ".".join(path.with_suffix("").parts)

        class Finder:
            @staticmethod
            def find_spec(fullname: str, _path: Any = None, _target: Any = None) -> Any:
                loader = cls(name, str(path.resolve()), source)
                return importlib.machinery.ModuleSpec(name, loader, origin=loader.path) if fullname == name else None

        sys.meta_path.insert(0, Finder)  # type: ignore[arg-type]


if "MUTANT" in os.environ:
    _mutant = json.loads(Path(os.environ["MUTANT"]).read_text())
    MutantImporter.install(Path(_mutant["path"]), _mutant["source"])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [
        item for item in items if not any(name.endswith(OTHER_PROCESSES) for name in getattr(item, "fixturenames", ()))
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if "MUTATED" not in os.environ:
        return None
    from benchmarks.support.mutants import mutants_of

    paths = [Path(path) for path in os.environ["MUTATED"].split()]
    _set_up(session)
    runs = _measure(session, paths)
    result = Path(os.environ["MUTATION_RESULT"])
    chosen = os.environ.get("MUTATION_ONLY")
    only = set(Path(chosen).read_text().splitlines()) if chosen else None
    outcomes = []
    for path in paths:
        _functions_of(path)
    gc.freeze()  # else a collection in a fork copies everything
    for path in paths:
        for mutant in mutants_of(path):
            if only is not None and f"{path} {mutant.text}" not in only:
                continue
            if not re.search(os.environ.get("MUTATION_MATCH", ""), mutant.text):
                continue
            outcome, test = _outcome(session, mutant, runs)
            print(f"{outcome:8} {path}:{mutant.line}  {mutant.text}  {test}", flush=True)
            row = {"path": str(path), "line": mutant.line, "text": mutant.text, "outcome": outcome, "test": test}
            outcomes.append(row)
        result.write_text(json.dumps(outcomes, indent=1, ensure_ascii=False))
    return True


def _set_up(session: pytest.Session) -> None:
    """Create the test database in this process, if a test needs one. No test runs in this process, because threads
    don't survive a fork."""
    item: Any = next((item for item in session.items if "db" in getattr(item, "fixturenames", ())), None)
    if item is None:
        return
    session._setupstate.setup(item)
    session._setupstate.teardown_exact(next(other for other in session.items if other.path != item.path))
    item._request = False  # as after a test
    item.funcargs = None


def _fork(session: pytest.Session, work: Callable[[], int], seconds: float) -> int | None:
    """The exit code of `work` in a fork of this process; None after the time limit."""
    from django.conf import settings
    from django.db import connections

    connections.close_all()
    database = Path(settings.DATABASES["default"]["TEST"]["NAME"])
    pristine = database.read_bytes()
    child = os.fork()
    if child == 0:
        os.setsid()
        code = 3
        with suppress(BaseException):
            code = work()
        os._exit(code)
    deadline = time.monotonic() + seconds
    status: int | None = None
    while True:
        pid, state = os.waitpid(child, os.WNOHANG)
        if pid:
            status = os.waitstatus_to_exitcode(state)
            break
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    for extra in database.parent.glob(f"{database.name}-*"):
        extra.unlink(missing_ok=True)
    database.write_bytes(pristine)
    return status


def _run(session: pytest.Session, items: Sequence[pytest.Item], report: Callable[[pytest.Item, bool], bool]) -> None:
    """Run tests until `report(item, has_passed)` returns False."""
    another = next(item for item in session.items if item is not items[-1])  # so that the database is kept
    for item, following in zip(items, [*items[1:], another], strict=True):
        if session._setupstate.stack:
            session._setupstate.teardown_exact(item)
        reports = runtestprotocol(item, log=False, nextitem=following)
        if not report(item, not any(each.failed for each in reports)):
            return


def _measure(session: pytest.Session, paths: Sequence[Path]) -> list[Run]:
    """Which lines of the modules each test runs, and how long it takes. Tests that fail alone are left out."""
    names = {str(path.resolve()): str(path) for path in paths}
    result = Path(os.environ["MUTATION_RESULT"]).with_suffix(".lines")
    current: set[tuple[str, int]] = set()

    def trace_lines(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            current.add((names[frame.f_code.co_filename], frame.f_lineno))
        return trace_lines

    def trace_calls(frame: FrameType, *_: Any) -> Any:
        return trace_lines if frame.f_code.co_filename in names else None

    def work() -> int:
        rows = []
        began = time.monotonic()
        threading.settrace(trace_calls)
        sys.settrace(trace_calls)

        def report(item: pytest.Item, has_passed: bool) -> bool:
            nonlocal began
            now = time.monotonic()
            if has_passed and current:
                rows.append([session.items.index(item), now - began, sorted(current)])
            elif not has_passed:
                print(f"fails without a mutant: {item.nodeid}", flush=True)
            current.clear()
            began = now
            return True

        _run(session, session.items, report)
        result.write_text(json.dumps(rows))
        return 0

    _fork(session, work, 1200)
    rows = json.loads(result.read_text())
    items = session.items
    runs = [Run(items[index], seconds, set(map(tuple, lines)), _is_new(items[index])) for index, seconds, lines in rows]
    seconds = sum(run.seconds for run in runs)
    print(f"{len(session.items)} tests, {len(runs)} run these modules, {seconds:.0f} s", flush=True)
    return sorted(runs, key=lambda run: run.seconds)


def _outcome(session: pytest.Session, mutant: Any, runs: Sequence[Run]) -> tuple[str, str]:
    path = str(mutant.path)
    covering = [run for run in runs if any((path, line) in run.lines for line in mutant.lines)]
    runs_on_import = not mutant.in_function or not covering
    if runs_on_import:
        covering = [run for run in runs if any(name == path for name, _ in run.lines)]
    chosen = _within(covering)
    total = sum(run.seconds for run in chosen)
    if not chosen:
        return "untested", ""
    limit = 2 * total + 6
    changed = [] if runs_on_import else _mutated_functions(mutant)
    if not changed:
        return _in_new_process(mutant, [run.item.nodeid for run in chosen], limit + 30)
    killer = Path(os.environ["MUTATION_RESULT"]).with_suffix(".killer")
    killer.write_text("")

    def work() -> int:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        failed = 0

        def report(item: pytest.Item, has_passed: bool) -> bool:
            nonlocal failed
            if not has_passed:
                failed = 1
                killer.write_text(item.nodeid)
            return has_passed

        for function, code in changed:
            function.__code__ = code
        _run(session, _grouped([run.item for run in chosen]), report)
        return failed

    code = _fork(session, work, limit)
    test = killer.read_text()
    if code in (0, None):
        return "survived" if code == 0 else "timeout", test
    is_new = any(run.is_new and run.item.nodeid == test for run in chosen)
    return "killed by a new test" if is_new else "killed", test or f"exit {code}"


def _within(runs: Iterable[Run]) -> list[Run]:
    """The first ones, as many as run in `MAX_SECONDS`."""
    chosen: list[Run] = []
    total = 0.0
    for run in runs:
        total += run.seconds
        if total > MAX_SECONDS and chosen:
            break
        chosen.append(run)
    return chosen


def _is_new(item: pytest.Item) -> bool:
    """Whether the test was written since the commit `MUTATION_SINCE`."""
    commit = os.environ.get("MUTATION_SINCE")
    return bool(commit) and f"def {getattr(item, 'originalname', item.name)}(" not in _file_at(commit, str(item.path))


@cache
def _file_at(commit: str, path: str) -> str:
    command = ["git", "show", f"{commit}:{Path(path).relative_to(Path.cwd())}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def _grouped(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Tests of the same module together, so that its fixtures are set up once."""
    order = {name: index for index, name in reversed(list(enumerate(str(item.path) for item in items)))}
    return sorted(items, key=lambda item: order[str(item.path)])


def _in_new_process(mutant: Any, tests: Sequence[str], seconds: float) -> tuple[str, str]:
    description = Path(os.environ["MUTATION_RESULT"]).with_suffix(".mutant")
    description.write_text(json.dumps({"path": str(mutant.path), "source": mutant.source}))
    environment = {name: value for name, value in os.environ.items() if name not in ("MUTATED", "DATA_DIR")}
    command = [sys.executable, "-m", "pytest", "-p", "benchmarks.support.mutation_run", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, "-x", "-q", "--no-header", "--tb=no", *tests],
            env=environment | {"MUTANT": str(description)},
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        return "timeout", ""
    failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return ("survived", "") if done.returncode == 0 else ("killed", failed[0][:120] if failed else "not importable")


@cache
def _functions_of(path: Path) -> dict[tuple[str, int], FunctionType]:
    """The functions of the imported module, those of its classes too, by name and first line."""
    filename = str(path.resolve())
    found = [each for each in gc.get_objects() if type(each) is FunctionType]  # no proxies
    return {
        (function.__code__.co_qualname, function.__code__.co_firstlineno): function
        for function in found
        if function.__code__.co_filename == filename
    }


def _mutated_functions(mutant: Any) -> list[tuple[FunctionType, CodeType]]:
    """The functions of the imported module that the mutant changes, with their new code."""
    changed = []
    for name, code in _codes(compile(mutant.source, str(mutant.path.resolve()), "exec")):
        function = _functions_of(mutant.path).get(name)
        if function and code != function.__code__ and code.co_freevars == function.__code__.co_freevars:
            changed.append((function, code))
    return changed


def _codes(code: CodeType) -> list[tuple[tuple[str, int], CodeType]]:
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return [((code.co_qualname, code.co_firstlineno), code), *(pair for each in inner for pair in _codes(each))]
