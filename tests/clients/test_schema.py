"""Requests generated from the OpenAPI document: none breaks the server, and every response conforms to the document.

`SCHEMA_EXAMPLES=500` generates more per operation than the default.
"""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.clients.api import access_to

pytestmark = pytest.mark.slow

CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]


def test_responses_conform_to_the_schema(start_site, tmp_path: Path):
    site = start_site(STT_ENGINE="checksum", TTS_ENGINE="tones", API_REQUESTS_PER_MINUTE="100000")
    access = access_to(site)
    site.shell(
        "from accounts.models import User; User.objects.update(is_staff=True);"
        "from tests.api.sample_data import create_session; create_session('program@example.org')"
    )
    token = site.manage("issue_token", "program@example.org", "--scopes", "stt tts sessions admin").split()[-1]
    command = [str(Path(sys.executable).with_name("schemathesis")), "run", f"{access.url}/api/v1/schema/"]
    options = ["--header", f"Authorization: Bearer {token}", "--checks", ",".join(CHECKS)]
    limits = [
        "--max-examples",
        os.environ.get("SCHEMA_EXAMPLES", "15"),
        "--phases",
        "examples,coverage,fuzzing",
        "--generation-deterministic",
        "--no-color",
    ]
    done = subprocess.run([*command, *options, *limits], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_the_document_is_public(start_site):
    site = start_site()
    document = httpx.get(f"{site.url}/api/v1/schema/?format=json").json()
    assert document["openapi"].startswith("3.")
    assert "/api/v1/sessions/" in document["paths"]
