"""Every fenced block of the documentation is run or checked, or listed below with the reason why not."""

import json
import re
from collections import Counter

import jsonschema
import pytest

from api.uploads import UploadSerializer
from inference.loading import presets
from speech.llm.model_file import configured_models
from tests.project.documents import BLOCKS, Block, block
from tests.project.test_documented_programs import API_PROGRAMS, COMMANDS, EXAMPLES
from tests.project.test_documented_programs import NOT_RUN as COMMANDS_NOT_RUN
from tests.support.environment import ROOT, documented_variables

SETTINGS = [
    ("docs/deployment.md", "PRODUCTION=on"),
    ("docs/deployment.md", "DATABASE_URL=postgres://speech:password@localhost:5432/speech"),
    ("docs/deployment.md", "LLM_URL=https://api.example.org/v1"),
    ("docs/operations.md", "SITE_URL=https://speech.example.org"),
]
MODELS = ("docs/deployment.md", "[small]")
PRESETS = [("docs/engines.md", "[stt-1b-en_fr]"), ("docs/voices.md", "[pocket-tts-en]")]
TRANSCRIPT = ("docs/exports.md", "{")
UPLOAD = ("docs/uploads.md", "{")
NOT_RUN = {
    ("docs/architecture.md", "browser · API client"): "a drawing",
    ("docs/architecture.md", "a lull after words:                  silence is long enough"): "a drawing",
    (
        "docs/architecture.md",
        "operations                               backups, health, metrics, administration; no app imports it",
    ): "tests/test_architecture.py checks it",
    ("docs/reliability.md", "browser ──────────── web process ──────────── inference process"): "a drawing",
    ("docs/deployment.md", "speech.example.org {"): "needs Caddy; `make release-check` validates deploy/Caddyfile",
    (
        "docs/clients.md",
        "server {",
    ): "needs two names and a certificate; tests/operations/test_proxies.py runs an nginx",
    ("docs/clients.md", "KYUTAI_STT_URL=ws://HOST:8000 KYUTAI_TTS_URL=ws://HOST:8000"): (
        "variables of Unmute; tests/clients/test_kyutai_clients.py sets them"
    ),
    ("docs/sessions.md", "17 3 * * * cd /srv/speech && .venv/bin/python manage.py retention"): (
        "a line for cron; tests/speech/management tests the command"
    ),
}


def test_every_block_is_run_or_listed():
    listed = Counter([*COMMANDS, *API_PROGRAMS, *EXAMPLES, *SETTINGS, MODELS, *PRESETS, TRANSCRIPT, UPLOAD, *NOT_RUN])
    found = Counter((one.document, one.first_line) for one in BLOCKS)
    assert list(found - listed) == [], "Add these blocks to a list in tests/project."
    assert list(listed - found) == [], "Remove these blocks, which the documentation no longer has."


def test_reasons_name_existing_tests():
    reasons = " ".join([*NOT_RUN.values(), *COMMANDS_NOT_RUN.values()])
    assert [path for path in re.findall(r"tests/[\w/]+(?:\.py)?", reasons) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("listed", SETTINGS)
def test_settings_exist(listed):
    names = re.findall(r"^(\w+)=", block(*listed).text, re.MULTILINE)
    assert names
    assert set(names) <= {*documented_variables(), "POSTGRES_PASSWORD"}  # of compose.yaml


def test_language_models_are_valid(tmp_path):
    file = _written(block(*MODELS), tmp_path)
    small, large = configured_models("", "", "", file, {"EXAMPLE_API_KEY": "secret"})
    assert small.label == "Small and fast"
    assert large.api_key == "secret"


@pytest.mark.parametrize("listed", PRESETS)
def test_presets_are_valid(listed, tmp_path):
    file = _written(block(*listed), tmp_path)
    names = re.findall(r"^\[([\w.-]+)\]", block(*listed).text, re.MULTILINE)
    assert set(names) <= presets.load({"PRESETS_FILE": file}).keys()


def test_the_transcript_satisfies_its_schema():
    schema = json.loads((ROOT / "docs/transcript.schema.json").read_text())
    jsonschema.validate(json.loads(block(*TRANSCRIPT).text), schema)


def test_the_upload_has_the_fields_of_the_api():
    assert json.loads(block(*UPLOAD).text).keys() == UploadSerializer().fields.keys()


def _written(one: Block, folder) -> str:
    file = folder / "example.toml"
    file.write_text(one.text)
    return str(file)
