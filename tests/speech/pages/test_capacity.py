"""`manage.py capacity`, and what it reads."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from dsm_site.settings import VERSION
from tests.support.servers.ports import free_port


def capacity(*arguments):
    out = io.StringIO()
    call_command("capacity", *arguments, stdout=out)
    return out.getvalue()


def test_it_tells_each_engine_and_its_slots(checksum_site):
    lines = capacity("--url", checksum_site.url).splitlines()
    assert lines[0].split() == ["name", "kind", "total", "used", "free", "waiting", "processes", "progress"]
    assert [line.split() for line in lines if line.startswith("checksum")] == [
        ["checksum", "stt", "8", "0", "8", "0", "1"]
    ]


def test_programs_get_all_that_the_site_tells(checksum_site):
    told = json.loads(capacity("--url", f"{checksum_site.url}/", "--json"))
    assert told["version"] == VERSION
    assert {engine["kind"] for engine in told["engines"]} == {"stt", "tts"}


def test_a_site_that_does_not_run_is_told_in_words():
    with pytest.raises(CommandError, match="Does it run"):
        capacity("--url", f"http://127.0.0.1:{free_port()}")


def test_no_file_is_read_in_place_of_a_site():
    with pytest.raises(CommandError, match="no address of a site"):
        capacity("--url", "file:///etc/passwd")
