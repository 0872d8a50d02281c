"""Installed voices, and downloads from a local test server that acts as the hub."""

import hashlib
import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command

from inference.engines.tts import piper_voices

CONFIG = {
    "audio": {"sample_rate": 16_000, "quality": "x_low"},
    "language": {"code": "fr_FR"},
    "dataset": "upmc",
    "num_speakers": 1,
    "speaker_id_map": {},
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path / "voices"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The folder that the server publishes."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "hub"))
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    published = tmp_path / "hub" / piper_voices.PUBLISHED
    published.mkdir(parents=True)
    yield published
    server.shutdown()
    server.server_close()


def publish(hub, name, model=b"a model", digest=None, card="# Model card\n\n* License: CC0\n"):
    contents = {f"{name}.onnx": model, f"{name}.onnx.json": json.dumps(CONFIG).encode(), "MODEL_CARD": card.encode()}
    for file, content in contents.items():
        (hub / file).write_bytes(content)
    files = {
        file: {"size_bytes": len(content), "md5_digest": digest or hashlib.md5(content).hexdigest()}
        for file, content in contents.items()
    }
    language = {"name_english": "French"}
    (hub / "voices.json").write_text(json.dumps({name: {"files": files, "language": language}}))


def voices(*arguments):
    out = StringIO()
    call_command("voices", *arguments, stdout=out)
    return out.getvalue()


def install(folder, name, **config):
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(b"")
    (folder / f"{name}.onnx.json").write_text(json.dumps(CONFIG | config))


def test_a_voice_is_downloaded_by_name_and_listed(hub, folder):
    publish(hub, "fr_FR-upmc-medium")
    output = voices("fr_FR-upmc-medium")
    assert "fr_FR-upmc-medium: 0 of 0 MB" in output
    assert sorted(file.name for file in folder.iterdir()) == [
        "fr_FR-upmc-medium.MODEL_CARD",
        "fr_FR-upmc-medium.onnx",
        "fr_FR-upmc-medium.onnx.json",
    ]
    assert "fr_FR-upmc-medium                fr-FR    Neural, x low quality          CC0\n" in voices()


def test_published_voices_are_listed_by_language(hub, folder):
    publish(hub, "fr_FR-upmc-medium")
    assert "fr_FR-upmc-medium" in voices("--published")
    assert "fr_FR-upmc-medium" in voices("--published", "FR")
    assert voices("--published", "de") == ""


def test_a_voice_for_noncommercial_use_is_downloaded_only_if_the_setting_includes_it(hub, folder, monkeypatch):
    publish(hub, "fr_FR-upmc-medium", card="* License: CC BY-NC-SA 4.0")
    with pytest.raises(CommandError, match=r"non-commercial use only \(CC BY-NC-SA 4.0\)"):
        voices("fr_FR-upmc-medium")
    assert list(folder.iterdir()) == []
    monkeypatch.setenv("TTS_NONCOMMERCIAL_VOICES", "on")
    voices("fr_FR-upmc-medium")
    assert "CC BY-NC-SA 4.0\n" in voices()
    monkeypatch.delenv("TTS_NONCOMMERCIAL_VOICES")
    assert "CC BY-NC-SA 4.0 (left out)\n" in voices()


def test_the_license_is_that_of_the_model_card(folder):
    install(folder, "en_US-one-low")
    install(folder, "en_US-two-low")
    (folder / "en_US-one-low.MODEL_CARD").write_text("## Dataset\n\n* URL: x\n* License: CC BY 4.0\n")
    (folder / "MODEL_CARD").write_text("* License: CC0")  # of which one?
    licenses = {voice.name: voice.license for file in piper_voices.installed() for voice in file.voices}
    assert licenses | {"en_US-one-low": "CC BY 4.0", "en_US-two-low": ""} == licenses
    assert licenses.get("en_US-joe-medium", "CC0") == "CC0"  # from its Python package, if installed


def test_an_unpublished_voice_is_reported(hub, folder):
    publish(hub, "fr_FR-upmc-medium")
    with pytest.raises(CommandError, match="No published voice “de_DE-unknown-low”"):
        voices("de_DE-unknown-low")


def test_a_corrupt_download_is_discarded(hub, folder):
    publish(hub, "fr_FR-upmc-medium", digest="0" * 32)
    with pytest.raises(CommandError, match=r"is corrupt\. Try again"):
        voices("fr_FR-upmc-medium")
    assert list(folder.iterdir()) == []


def test_a_listed_file_that_is_missing_is_reported(hub, folder):
    publish(hub, "fr_FR-upmc-medium")
    (hub / "fr_FR-upmc-medium.onnx").unlink()
    with pytest.raises(CommandError, match=r"Couldn't download fr_FR-upmc-medium\.onnx: .*404"):
        voices("fr_FR-upmc-medium")


def test_an_unreachable_hub_is_reported(folder, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(CommandError, match=r"voice list from http://127\.0\.0\.1:9: .*Set HF_ENDPOINT"):
        voices("--published")


def test_each_speaker_of_a_file_is_a_voice(folder):
    install(folder, "en_GB-vctk-medium", num_speakers=2, speaker_id_map={"p239": 0, "p236": 1}, dataset="vctk")
    (file,) = (file for file in piper_voices.installed() if file.name == "en_GB-vctk-medium")
    assert [(voice.name, voice.label) for voice in file.voices] == [
        ("en_GB-vctk-medium/p239", "Vctk p239"),
        ("en_GB-vctk-medium/p236", "Vctk p236"),
    ]
    assert [file.speaker(voice.name) for voice in file.voices] == [0, 1]


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"language": 3}'])
def test_an_unreadable_voice_is_skipped(folder, broken):
    install(folder, "en_US-one-low")
    install(folder, "en_US-two-low")
    (folder / "en_US-two-low.onnx.json").write_text(broken)
    names = [file.name for file in piper_voices.installed()]
    assert "en_US-one-low" in names
    assert "en_US-two-low" not in names
