"""Mutants of the modules where a silent fault loses words or grants access: `python -m benchmarks.mutations [PART…]`.

A mutant is a module with one small fault: a changed comparison, condition or number, or a statement, a named argument
or a decorator less. A test must fail with it. Those that no test finds need a reason in `support/mutants_left.tsv`;
without one the command fails. It needs `.venv/bin/pip install cosmic-ray==8.7.0`, whose operators it uses, and 20 to
40 min on one core.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REASONS = Path(__file__).parent / "support" / "mutants_left.tsv"
"""Module, mutation, and why no test finds it."""
LIVE, CREDENTIALS = "speech/live", "accounts/credentials"


@dataclass(frozen=True)
class Part:
    modules: Sequence[str]
    tests: Sequence[str]
    """Files and folders; of these, each mutant gets the tests that run its line."""
    only: str = ""
    """A regular expression of the mutations."""


STREAM_TESTS = ("tests/speech/live", "tests/speech/gateway/test_drain.py")
ACCOUNT_TESTS = ("tests/accounts/credentials", "tests/accounts/profile", "tests/speech/gateway/test_revocation.py")
PAGES = ("shares", "trash", "corrections", "session", "session_list", "streaming/voices")
PARTS = {
    "stream": Part((f"{LIVE}/stream.py", f"{LIVE}/stream_state.py"), STREAM_TESTS),
    "audio": Part((f"{LIVE}/audio_buffer.py",), STREAM_TESTS),
    "transcript": Part((f"{LIVE}/transcript.py",), STREAM_TESTS),
    "credentials": Part(
        tuple(
            f"{CREDENTIALS}/{name}.py"
            for name in ("credentials", "principal", "validity", "access_tokens", "denied_tokens", "token_cache")
        ),
        ACCOUNT_TESTS,
    ),
    "jwt": Part(
        tuple(f"{CREDENTIALS}/jwt/{name}.py" for name in ("tokens", "tickets", "trusted_issuers", "keys")),
        ACCOUNT_TESTS,
    ),
    "permissions": Part(
        ("accounts/authority.py", "accounts/approvals/middleware.py", f"{CREDENTIALS}/drf.py", "accounts/scopes.py"),
        (
            *("tests/accounts/credentials", "tests/accounts/approvals", "tests/permissions/test_declarations.py"),
            *("tests/accounts/test_authority.py", "tests/accounts/test_scopes.py"),
            *("tests/api/test_accounts.py", "tests/api/test_sessions.py"),
        ),
    ),
    "owners": Part(
        (
            *(f"speech/pages/{name}.py" for name in PAGES),
            *("speech/library/exports/views.py", "speech/models/session_set.py", "api/sessions.py", "api/personas.py"),
            *("accounts/profile/tokens.py", "accounts/models/token.py"),
        ),
        (
            *("tests/permissions/test_urls.py", "tests/api/test_sessions.py", "tests/api/test_personas.py"),
            *("tests/speech/pages", "tests/speech/library/exports/test_downloads.py"),
            *("tests/accounts/profile", "tests/accounts/credentials/test_access_tokens.py"),
        ),
        only=r"\.of\(\)|owner=|user=|deleted_at=",
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--since", metavar="COMMIT", help="count separately what only newer tests find")
    arguments = parser.parse_args()
    outcomes = [outcome for part in arguments.parts or PARTS for outcome in _run(PARTS[part], arguments.since)]
    print("\n".join(report(outcomes)))
    if any(_is_left(outcome) and not reason for outcome, reason in _with_reasons(outcomes)):
        sys.exit("Write a test that fails with each mutant without a reason, or add the reason to mutants_left.tsv.")


def _run(part: Part, since: str | None) -> list[dict[str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "outcomes.json")
        environment = {**os.environ, "MUTATED": " ".join(part.modules), "MUTATION_RESULT": str(result)}
        environment["MUTATION_MATCH"] = part.only
        if since:
            environment["MUTATION_SINCE"] = since
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "benchmarks.support.mutation_run",
            "-p",
            "no:cacheprovider",
            "-s",
        ]
        with open(Path(folder, "log"), "w") as log:
            subprocess.run([*command, *part.tests], env=environment, stdout=log, stderr=log, check=False)
        if not result.exists():
            sys.exit(Path(folder, "log").read_text()[-3000:])
        outcomes: list[dict[str, str]] = json.loads(result.read_text())
    return outcomes


def _is_left(outcome: dict[str, str]) -> bool:
    return outcome["outcome"] in ("survived", "untested")


def _with_reasons(outcomes: Sequence[dict[str, str]]) -> Iterator[tuple[dict[str, str], str]]:
    with REASONS.open(newline="") as file:
        reasons = {
            (module, text): reason for module, text, reason in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }
    for outcome in outcomes:
        yield outcome, reasons.get((outcome["path"], outcome["text"]), "")


def report(outcomes: Sequence[dict[str, str]]) -> Iterator[str]:
    yield f"{'':44} mutants  killed  by new tests  time-outs  left"
    modules = Counter(outcome["path"] for outcome in outcomes)
    counts = Counter((outcome["path"], outcome["outcome"]) for outcome in outcomes)
    rows = []
    for module, total in modules.items():
        left = counts[module, "survived"] + counts[module, "untested"]
        rows.append(
            (total, counts[module, "killed"], counts[module, "killed by a new test"], counts[module, "timeout"], left)
        )
        yield _row(module, rows[-1])
    yield _row("all", tuple(map(sum, zip(*rows, strict=True))))
    yield "\nLeft:"
    for outcome, reason in _with_reasons(outcomes):
        if _is_left(outcome):
            yield f"{outcome['path']}:{outcome['line']}  {outcome['text']}\n    {reason or '?'}"


def _row(name: str, numbers: Sequence[int]) -> str:
    total, killed, by_new, timeouts, left = numbers
    return f"{name:44} {total:7} {killed:7} {by_new:13} {timeouts:10} {left:5}"


if __name__ == "__main__":
    main()
