"""Voices from a Hugging Face repository, downloaded from a local test server that acts as the hub."""

import json
import shutil
import time
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants

from inference.loading import huggingface
from inference.loading.huggingface import CheckpointError
from inference.loading.voice_download import FILE_LIST, download

COMMIT = "1" * 40
SUFFIX = ".sig@1.safetensors"
VOICES = {
    f"{folder}/{name}{SUFFIX}": name.encode() * 1000 for folder in ("free", "nc") for name in ("ada", "bruno (x)")
}
FILES = {**VOICES, "README.md": b"About the voices", "free/ada.wav": b"sound"}


class Hub(BaseHTTPRequestHandler):
    """The requests of huggingface_hub, answered for the repository `org/voices`."""

    def __init__(self, *args, state, **options):
        self.state = state
        super().__init__(*args, **options)

    def do_HEAD(self):
        self.respond(with_body=False)

    def do_GET(self):
        self.respond(with_body=True)

    def respond(self, with_body):
        path = (
            self.path.partition("?")[0].replace("%28", "(").replace("%29", ")").replace("%20", " ").replace("%40", "@")
        )
        self.state.requests.append(path)
        if path.startswith("/api/models/org/voices/revision/"):
            siblings = [{"rfilename": name, "size": len(content)} for name, content in FILES.items()]
            return self.answer(
                json.dumps({"id": "org/voices", "sha": COMMIT, "siblings": siblings}).encode(), with_body
            )
        file = path.partition(f"/org/voices/resolve/{COMMIT}/")[2]
        if file in FILES and file not in self.state.broken:
            return self.answer(FILES[file], with_body)
        self.send_response(500 if file in self.state.broken else 404)
        self.send_header("Content-Length", "0")
        self.send_header("X-Error-Code", "" if file in self.state.broken else "RepoNotFound")
        self.end_headers()
        return None

    def answer(self, body, with_body):
        self.send_response(200)
        headers = {"ETag": f'"{sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT, "Content-Length": len(body)}
        for header, value in headers.items():
            self.send_header(header, str(value))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """The hub: `requests` it received, and the names of `broken` files. The cache is empty."""
    state = SimpleNamespace(requests=[], broken=set(), cache=tmp_path / "hub")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, state=state))
    Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    state.server = server
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(state.cache))
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    for name, path in {
        "ENDPOINT": "",
        "HUGGINGFACE_CO_URL_TEMPLATE": "/{repo_id}/resolve/{revision}/{filename}",
    }.items():
        url = f"http://127.0.0.1:{server.server_port}{path}"
        monkeypatch.setattr(constants, name, url)
        monkeypatch.setattr(f"huggingface_hub.file_download.{name}", url, raising=False)
    huggingface_hub.utils.reset_sessions()
    yield state
    server.shutdown()
    server.server_close()
    huggingface_hub.utils.reset_sessions()


def is_free(name):
    return name.endswith(SUFFIX) and name.startswith("free/")


def is_voice(name):
    return name.endswith(SUFFIX)


def voices_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob(f"*{SUFFIX}"))


def stop(hub):
    hub.server.shutdown()
    hub.server.server_close()


def go_offline(monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.utils.reset_sessions()


def test_the_selected_voices_are_downloaded_with_progress(hub):
    progress = []
    folder = download("org/voices", "main", is_free, progress.append)
    assert voices_in(folder) == [f"free/ada{SUFFIX}", f"free/bruno (x){SUFFIX}"]
    assert not (folder / "free/ada.wav").exists()
    assert progress == [
        "checking org/voices for voices",
        "downloading voices of org/voices: 0 of 2, 0 of 0 MB",
    ]


def test_progress_counts_the_files_and_their_bytes(hub, monkeypatch):
    monkeypatch.setattr(huggingface, "REPORT_INTERVAL", 0.01)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: time.sleep(0.05))
    folder = hub.cache / "models--org--voices/snapshots" / COMMIT / "free"
    folder.mkdir(parents=True)
    (folder / f"ada{SUFFIX}").write_bytes(VOICES[f"free/ada{SUFFIX}"])
    progress = []
    with pytest.raises(CheckpointError, match=r"incomplete: 1 of 2 voices are missing, for example free/bruno \(x\)"):
        download("org/voices", "main", is_free, progress.append)
    assert len(progress) > 2
    assert set(progress[1:]) == {"downloading voices of org/voices: 1 of 2, 0 of 0 MB"}


def test_a_commit_is_not_checked_again(hub):
    download("org/voices", COMMIT, is_free)
    stop(hub)
    assert len(voices_in(download("org/voices", COMMIT, is_free))) == 2


def test_a_branch_is_checked_for_new_voices_if_the_hub_responds(hub):
    download("org/voices", "main", is_free)
    assert len(voices_in(download("org/voices", "main", is_voice))) == 4
    hub.requests.clear()
    download("org/voices", "main", is_voice)
    assert hub.requests == ["/api/models/org/voices/revision/main"]
    stop(hub)
    assert len(voices_in(download("org/voices", "main", is_voice))) == 4


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_complete_copy_is_used_offline(hub, monkeypatch, revision):
    download("org/voices", revision, is_free)
    go_offline(monkeypatch)
    assert len(voices_in(download("org/voices", revision, is_free))) == 2


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_an_interrupted_download_is_not_used_offline(hub, monkeypatch, revision):
    hub.broken.add(f"free/bruno (x){SUFFIX}")
    with pytest.raises(CheckpointError):
        download("org/voices", revision, is_free)
    go_offline(monkeypatch)
    with pytest.raises(CheckpointError, match="1 of 2 are missing, and HF_HUB_OFFLINE is set"):
        download("org/voices", revision, is_free)


def test_an_interrupted_download_continues(hub):
    hub.broken.add(f"free/bruno (x){SUFFIX}")
    with pytest.raises(CheckpointError):
        download("org/voices", COMMIT, is_free)
    hub.broken.clear()
    hub.requests.clear()
    assert len(voices_in(download("org/voices", COMMIT, is_free))) == 2
    assert not [path for path in hub.requests if path.endswith(f"/ada{SUFFIX}")]


def test_a_truncated_file_is_downloaded_again(hub):
    file = download("org/voices", COMMIT, is_free) / f"free/ada{SUFFIX}"
    file.resolve().write_bytes(b"a")
    download("org/voices", COMMIT, is_free)
    assert file.read_bytes() == VOICES[f"free/ada{SUFFIX}"]
    file.resolve().write_bytes(b"a")
    stop(hub)
    with pytest.raises(CheckpointError, match=r"1 of 2 are missing, and http://127\.0\.0\.1:.* isn't responding"):
        download("org/voices", COMMIT, is_free)


def test_a_copy_by_another_program_is_used_offline(hub, monkeypatch):
    """It has no list of files, so it can't be checked."""
    folder = download("org/voices", "main", is_free)
    (folder / FILE_LIST).unlink()
    go_offline(monkeypatch)
    assert download("org/voices", "main", is_free) == folder


def test_the_disk_must_have_room_for_what_is_missing(hub, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=huggingface.SPARE_BYTES))
    with pytest.raises(CheckpointError, match="Not enough disk space for org/voices: 2 voices have 0 MB"):
        download("org/voices", COMMIT, is_free)
    assert not [path for path in hub.requests if "/resolve/" in path]


def test_a_repository_that_does_not_exist_is_reported(hub):
    with pytest.raises(CheckpointError, match="no public repository “org/other”"):
        download("org/other", "main", is_free)


def test_without_a_copy_the_hub_must_respond(hub):
    stop(hub)
    with pytest.raises(CheckpointError, match="isn't responding"):
        download("org/voices", "main", is_free)


def test_a_repository_without_voices_for_the_model_is_reported(hub):
    with pytest.raises(CheckpointError, match="no voices that can be used"):
        download("org/voices", "main", lambda name: False)


def test_a_folder_is_used_as_it_is(tmp_path):
    assert download(str(tmp_path), "main", is_free) == tmp_path.resolve()
    with pytest.raises(CheckpointError, match="neither a local folder nor a Hugging Face repository"):
        download(str(tmp_path / "nothing"), "main", is_free)


def test_a_folder_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("voices").mkdir()
    assert download("voices", "main", is_free) == (tmp_path / "voices").resolve()
