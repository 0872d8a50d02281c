"""Security checks over the whole project: deployment settings, inline code, external hosts."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from tests.support.environment import ROOT, without_own_settings

IN_TEMPLATES = {
    "an inline script": re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", re.IGNORECASE),
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE),
}
EXTERNAL_URL = re.compile(r"""(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}""", re.IGNORECASE)
COMMENTS = {
    ".html": re.compile(r"<!--.*?-->|{#.*?#}|{% comment.*?{% endcomment %}", re.DOTALL),
    ".css": re.compile(r"/\*.*?\*/", re.DOTALL),
    ".js": re.compile(r"/\*.*?\*/|(?<!:)//(?=\s)[^\n]*", re.DOTALL),
}


def shipped(*suffixes: str) -> list[Path]:
    paths = [path for folder in ("templates", "static") for path in sorted((ROOT / folder).rglob("*.*"))]
    """Excludes vendor code: it may name other hosts, and the Content-Security-Policy keeps it from reaching them."""
    return [path for path in paths if path.suffix in suffixes and "vendor" not in path.parts]


def without_comments(path: Path) -> str:
    return COMMENTS[path.suffix].sub("", path.read_text())


def manage(*arguments: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=without_own_settings() | env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_production_site_passes_djangos_deployment_check(tmp_path: Path) -> None:
    production = {"SITE_URL": "https://speech.example.org", "PRODUCTION": "1", "DATA_DIR": str(tmp_path)}
    manage("check", "--deploy", "--fail-level", "WARNING", **production)


def test_a_production_site_refuses_to_start_without_https(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="set SITE_URL"):
        manage("check", PRODUCTION="1", SITE_URL="http://speech.example.org", DATA_DIR=str(tmp_path))


def test_migrations_are_complete(db: None) -> None:
    call_command("makemigrations", check_changes=True, dry_run=True)  # exits if not


@pytest.mark.parametrize("kind", IN_TEMPLATES)
def test_templates_have_no_inline_code(kind: str) -> None:
    found = [
        str(path.relative_to(ROOT)) for path in shipped(".html") if IN_TEMPLATES[kind].search(without_comments(path))
    ]
    assert found == []


def test_shipped_files_name_no_external_host() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in shipped(".html", ".css", ".js")
        for match in EXTERNAL_URL.finditer(without_comments(path))
    }
    assert found == set()


def test_the_content_security_policy_allows_nothing_inline(client: Client) -> None:
    policy = client.get("/healthz").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
