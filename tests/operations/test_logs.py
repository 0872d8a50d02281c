"""Log formats, context fields and log rotation."""

import json
import logging
import sys
from datetime import datetime

import pytest

from dsm_site import logs
from speech.gateway.log_context import ContextFilter, log_context


def record(message="it failed: %s", *values, level=logging.ERROR, exc_info=None, **context):
    entry = logging.LogRecord(
        "speech.live.stream", level, "/srv/speech/stream.py", 12, message, values, exc_info, "run"
    )
    vars(entry).update(context)
    return entry


def test_json_is_one_object_per_line_with_context():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = logs.Json().format(record("it failed: %s", "why", exc_info=sys.exc_info(), stream="s1", user=7))
    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["level"], entry["logger"], entry["message"]) == ("error", "speech.live.stream", "it failed: why")
    assert (entry["stream"], entry["user"]) == ("s1", "7")
    assert datetime.fromisoformat(entry["time"]).tzinfo
    assert "ValueError: two" in entry["traceback"]


def test_the_compact_line_ends_with_the_context():
    form = logs.configuration("compact", "", "")["formatters"]["compact"]["form"]
    line = logs.Line(form).format(record("it failed: %s", "why", stream="s1"))
    assert line.endswith("ERROR speech.live.stream: it failed: why [stream s1]")


def test_the_pretty_line_has_color_and_leaves_the_record_unchanged():
    entry = record("it failed: %s", "why")
    assert "\033[31mERROR" in logs.Pretty().format(entry)
    assert entry.levelname == "ERROR"


def test_the_verbose_line_has_file_and_line():
    form = logs.configuration("verbose", "", "")["formatters"]["verbose"]["form"]
    assert "/srv/speech/stream.py:12 run: it failed: why" in logs.Line(form).format(record("it failed: %s", "why"))


def test_an_unknown_style_is_rejected():
    with pytest.raises(ValueError, match="must be one of compact, pretty, verbose, json"):
        logs.configuration("fancy", "", "")


def test_log_context_applies_to_lines_logged_inside():
    def logged():
        entry = record()
        ContextFilter().filter(entry)
        return logs.context_of(entry)

    with log_context(user=7):
        with log_context(stream="s1"):
            assert logged() == {"stream": "s1", "user": "7"}
        assert logged() == {"user": "7"}
    assert logged() == {}


def test_log_files_rotate_by_size_and_daily(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 100)
    monkeypatch.setattr(logs, "MAX_FILES", 2)
    handler = logs.DailyFile(str(tmp_path / "logs" / "web.log"))
    for _ in range(20):
        handler.emit(record("a line of a few words"))
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["web.log", "web.log.1", "web.log.2"]

    (tmp_path / "logs" / "web.log").write_text("yesterday\n")
    tomorrow = record("today", created=record().created + 86_400)
    handler.emit(tomorrow)
    handler.close()
    assert (tmp_path / "logs" / "web.log").read_text() == "today\n"
    assert (tmp_path / "logs" / "web.log.1").read_text() == "yesterday\n"
