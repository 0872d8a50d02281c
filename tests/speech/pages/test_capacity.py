"""`manage.py capacity` and `/api/status`."""

import io
import json
import time

import pytest
from django.core.management import CommandError, call_command

from dsm_site.settings import VERSION
from tests.support.servers.ports import free_port


def capacity(*arguments):
    out = io.StringIO()
    call_command("capacity", *arguments, stdout=out)
    return out.getvalue()


def wait_until_slots_are_free(site):
    """Streams of other tests may just be ending."""
    while any(engine["used"] for engine in json.loads(capacity("--url", site.url, "--json"))["engines"]):
        time.sleep(0.05)


def test_the_table_lists_each_engine_and_its_slots(checksum_site):
    wait_until_slots_are_free(checksum_site)
    lines = capacity("--url", checksum_site.url).splitlines()
    assert lines[0].split() == ["name", "kind", "total", "used", "free", "waiting", "processes", "progress"]
    assert [line.split() for line in lines if line.startswith("checksum")] == [
        ["checksum", "stt", "8", "0", "8", "0", "1"]
    ]


def test_json_has_the_whole_status(checksum_site):
    status = json.loads(capacity("--url", f"{checksum_site.url}/", "--json"))
    assert status["version"] == VERSION
    assert {engine["kind"] for engine in status["engines"]} == {"stt", "tts"}


def test_a_site_that_is_not_running_is_reported():
    with pytest.raises(CommandError, match="Is the site running"):
        capacity("--url", f"http://127.0.0.1:{free_port()}")


def test_file_urls_are_rejected():
    with pytest.raises(CommandError, match="Invalid URL"):
        capacity("--url", "file:///etc/passwd")
