"""`dsm.py` without a site."""

import ast
import importlib
import json
import sys
import tomllib
from argparse import Namespace

import numpy as np
import pytest
import soundfile

import dsm
from tests.support.environment import ROOT

WORDS = [
    {"text": "a", "start": 0.5, "end": 0.9},
    {"text": "<b>", "start": 1.0, "end": 1.25},
    {"text": "& c", "start": 3661.0, "end": 3661.5},
]


@pytest.fixture
def arguments(monkeypatch):
    def parse(*options):
        monkeypatch.setattr(sys, "argv", ["dsm", *options])
        return dsm.arguments()

    return parse


def test_words_of_languages_without_spaces_are_joined_without():
    words = ["今日", "は", "Python", "を", "使う", "。", "สวัสดี", "ครับ"]
    assert dsm.joined([{"text": word} for word in words]) == "今日は Python を使う。สวัสดีครับ"


@pytest.mark.parametrize(
    ("suffix", "format", "subtype"),
    [
        (".mp3", "MP3", "MPEG_LAYER_III"),
        (".MP3", "MP3", "MPEG_LAYER_III"),
        (".wav", "WAV", "PCM_16"),
        ("", "WAV", "PCM_16"),
        (".flac", "FLAC", "PCM_16"),
        (".ogg", "OGG", "VORBIS"),
        (".opus", "OGG", "OPUS"),
    ],
)
def test_the_suffix_chooses_the_format_of_speech(tmp_path, suffix, format, subtype):
    path = tmp_path / f"speech{suffix}"
    with dsm.speech_file(str(path)) as file:
        for _ in range(25):
            file.write(np.zeros((dsm.FRAME, 1), np.float32))
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate) == (format, subtype, dsm.RATE)
    assert info.duration == pytest.approx(2, abs=0.1)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "message"), [("x.aac", "use .wav, .mp3"), ("none/x.mp3", "No such file or directory")]
)
def test_a_file_that_cannot_be_written_is_reported_before_anything_is_sent(tmp_path, name, message):
    with pytest.raises(dsm.Problem, match=message), dsm.speech_file(str(tmp_path / name)):
        pytest.fail("The text would be spoken.")


def test_an_error_leaves_an_existing_file_as_it_is(tmp_path):
    path = tmp_path / "speech.wav"
    path.write_bytes(b"before")
    with pytest.raises(dsm.Problem, match="no channels"), dsm.speech_file(str(path)):
        raise dsm.Problem("no channels")
    assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"before"]


def test_subtitles_as_webvtt(capsys):
    transcript = dsm.Transcript(is_live=False, vad=False)
    transcript.words = WORDS
    transcript.print("vtt")
    cues = "00:00:00.500 --> 00:00:01.250\na &lt;b&gt;\n\n01:01:01.000 --> 01:01:01.500\n&amp; c\n\n"
    assert capsys.readouterr().out == f"WEBVTT\n\n{cues}"


@pytest.mark.parametrize("command", [("file", "x.wav"), ("mic",)])
def test_the_engine_and_the_language_are_sent(arguments, command):
    args = arguments(*command, "--engine", "whisper-small", "--language", "de", "--keep", "--format", "vtt")
    assert dsm.stream_options(args) == {"engine": "whisper-small", "language": "de", "keep": "true"}
    assert not any(dsm.stream_options(arguments(*command)).values())


@pytest.mark.parametrize(
    ("token", "status", "body", "message"),
    [
        ("", 401, {}, "https://s requires a token. Set DSM_TOKEN to one that you create under Your account > Tokens."),
        ("", 403, {}, "https://s requires a token. Set DSM_TOKEN to one that you create under Your account > Tokens."),
        ("x", 401, {}, "rejected the token (HTTP 401). It may be wrong, expired"),
        (
            "x",
            403,
            {"title": "Forbidden.", "detail": "It lacks the scope."},
            "(HTTP 403). Forbidden. It lacks the scope.",
        ),
        ("x", 500, {}, "https://s responded with HTTP 500."),
        ("x", 422, {"title": "Invalid.", "detail": "Too long."}, "Invalid. Too long."),
    ],
)
def test_an_error_response_is_one_sentence_for_a_person(token, status, body, message):
    problem = dsm.http_problem(Namespace(url="https://s", token=token), status, json.dumps(body).encode())
    assert message in str(problem)


@pytest.mark.parametrize(
    ("code", "message"),
    [("raise ImportError", "sounddevice isn't installed"), ("raise OSError", "apt-get install libportaudio2")],
)
def test_missing_audio_support_is_reported_with_the_command_that_installs_it(tmp_path, monkeypatch, code, message):
    (tmp_path / "sounddevice.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    importlib.invalidate_caches()
    with pytest.raises(dsm.Problem, match=message):
        dsm.import_sounddevice()


def test_a_missing_device_is_reported(tmp_path, monkeypatch):
    (tmp_path / "sounddevice.py").write_text("class PortAudioError(Exception): pass")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    importlib.invalidate_caches()
    with pytest.raises(dsm.Problem, match="Can't use the microphone: no device"), dsm.audio_device("microphone"):
        raise dsm.import_sounddevice().PortAudioError("no device")


def test_the_file_declares_every_package_that_it_imports():
    source = (ROOT / "dsm.py").read_text()
    block = source.split("# /// script\n")[1].split("# ///\n")[0]
    metadata = tomllib.loads("".join(line[2:] + "\n" for line in block.splitlines()))
    declared = {package.split(">")[0] for package in metadata["dependencies"]}
    nodes = list(ast.walk(ast.parse(source)))
    names = [name.name for node in nodes if isinstance(node, ast.Import) for name in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    assert {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) == declared
