"""Log lines for people and for programs, and files that do not grow for ever."""

import json
import logging
import sys
from datetime import datetime

import pytest

from dsm_site import logs
from speech.gateway.log_context import ContextFilter, log_context


def record(message="it failed: %s", *values, level=logging.ERROR, exc_info=None, **about):
    made = logging.LogRecord("speech.live.stream", level, "/srv/speech/stream.py", 12, message, values, exc_info, "run")
    vars(made).update(about)
    return made


def test_json_is_one_object_a_line_with_what_it_is_about():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = logs.Json().format(record("it failed: %s", "why", exc_info=sys.exc_info(), stream="s1", user=7))
    told = json.loads(line)
    assert "\n" not in line
    assert (told["level"], told["logger"], told["message"]) == ("error", "speech.live.stream", "it failed: why")
    assert (told["stream"], told["user"]) == ("s1", "7")
    assert datetime.fromisoformat(told["time"]).tzinfo
    assert "ValueError: two" in told["traceback"]


def test_the_compact_line_ends_with_what_it_is_about():
    form = logs.configuration("compact", "", "")["formatters"]["compact"]["form"]
    line = logs.Line(form).format(record("it failed: %s", "why", stream="s1"))
    assert line.endswith("ERROR speech.live.stream: it failed: why [stream s1]")


def test_the_pretty_line_has_colour_and_leaves_the_record_as_it_was():
    made = record("it failed: %s", "why")
    assert "\033[31mERROR" in logs.Pretty().format(made)
    assert made.levelname == "ERROR"


def test_the_verbose_line_has_file_and_line():
    form = logs.configuration("verbose", "", "")["formatters"]["verbose"]["form"]
    assert "/srv/speech/stream.py:12 run: it failed: why" in logs.Line(form).format(record("it failed: %s", "why"))


def test_a_style_that_is_none_is_refused():
    with pytest.raises(ValueError, match="should be one of compact, pretty, verbose, json"):
        logs.configuration("fancy", "", "")


def test_what_is_logged_meanwhile_is_about_it():
    def logged():
        made = record()
        ContextFilter().filter(made)
        return logs.context_of(made)

    with log_context(user=7):
        with log_context(stream="s1"):
            assert logged() == {"stream": "s1", "user": "7"}
        assert logged() == {"user": "7"}
    assert logged() == {}


def test_a_file_is_a_new_one_when_it_is_large_and_every_day(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "MAX_BYTES", 100)
    monkeypatch.setattr(logs, "MAX_FILES", 2)
    handler = logs.DailyFile(str(tmp_path / "logs" / "web.log"))
    for _ in range(20):
        handler.emit(record("a line of a few words"))
    names = sorted(path.name for path in (tmp_path / "logs").iterdir())
    assert names == ["web.log", "web.log.1", "web.log.2"]

    (tmp_path / "logs" / "web.log").write_text("of yesterday\n")
    tomorrow = record("of today", created=record().created + 86_400)
    handler.emit(tomorrow)
    handler.close()
    assert (tmp_path / "logs" / "web.log").read_text() == "of today\n"
    assert (tmp_path / "logs" / "web.log.1").read_text() == "of yesterday\n"
