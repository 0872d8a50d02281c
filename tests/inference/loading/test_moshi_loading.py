import json
import shutil
import threading
from functools import partial
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import msgspec
import pytest
import torch
from huggingface_hub import constants

from inference.loading import huggingface, presets
from inference.loading.checkpoints import Checkpoint
from inference.loading.huggingface import CheckpointError
from tests.support.models.checkpoints import put_into_hub_cache
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.slow

PRESET = presets.load({})["stt-1b-en_fr"]
COMMIT = "1" * 40


def of(model: Path | str, revision: str = "main") -> presets.Preset:
    return msgspec.structs.replace(PRESET, model=str(model), revision=revision)


def loads(checkpoint: Checkpoint) -> bool:
    lm = checkpoint.lm("cpu", torch.float32)
    return len(lm.extra_heads) == 4 and checkpoint.mimi("cpu").num_codebooks == lm.n_q


class Hub(BaseHTTPRequestHandler):
    """What huggingface_hub asks of a hub, for one repository."""

    def __init__(self, *args, folder: Path, **options) -> None:
        self._folder = folder
        super().__init__(*args, **options)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, with_body: bool) -> None:
        _, owner, name, _, revision, file = self.path.split("/", 5)
        path = self._folder / file
        if f"{owner}/{name}" != "org/model":
            self._refuse(404, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self._refuse(404, "RevisionNotFound")
        elif not path.is_file():
            self._refuse(404, "EntryNotFound")
        else:
            body = path.read_bytes()
            self.send_response(200)
            headers = {"ETag": f'"{sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT, "Content-Length": len(body)}
            for header, value in headers.items():
                self.send_header(header, str(value))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of the hub, which is asked without patience even where HF_HUB_OFFLINE is set."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.utils.reset_sessions()
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for function in ("hf_hub_download", "try_to_load_from_cache"):
        whole = getattr(huggingface_hub, function)
        monkeypatch.setattr(huggingface_hub, function, partial(whole, cache_dir=tmp_path / "hub"))
    yield tmp_path / "hub"
    huggingface_hub.utils.reset_sessions()  # one that was made while offline remains so


@pytest.fixture
def hub(cache, stt_checkpoint, monkeypatch):
    """A hub that has `org/model`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folder=stt_checkpoint))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _ask(monkeypatch, server.server_port)
    yield server
    server.shutdown()


def _ask(monkeypatch, port: int) -> None:
    for name, value in {
        "ENDPOINT": "",
        "HUGGINGFACE_CO_URL_TEMPLATE": "/{repo_id}/resolve/{revision}/{filename}",
    }.items():
        monkeypatch.setattr(constants, name, f"http://127.0.0.1:{port}{value}")
        monkeypatch.setattr(f"huggingface_hub.file_download.{name}", f"http://127.0.0.1:{port}{value}", raising=False)


def test_a_folder_is_loaded_as_it_is(stt_checkpoint):
    assert loads(Checkpoint.obtain(of(stt_checkpoint)))


def test_heads_that_only_the_weights_know_of_are_loaded(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    del config["extra_heads_num_heads"], config["extra_heads_dim"]
    (folder / "config.json").write_text(json.dumps(config))
    assert loads(Checkpoint.obtain(of(folder)))


def test_heads_that_only_the_configuration_knows_of_are_not_missed(
    stt_checkpoint, stt_checkpoint_without_heads, tmp_path
):
    folder = shutil.copytree(stt_checkpoint_without_heads, tmp_path / "model")
    shutil.copy(stt_checkpoint / "config.json", folder)
    assert len(Checkpoint.obtain(of(folder)).lm("cpu", torch.float32).extra_heads) == 0


def test_a_repository_is_downloaded_with_its_progress_told(hub, cache):
    told: list[str] = []
    assert loads(Checkpoint.obtain(of("org/model"), told.append))
    assert [line.split(":")[0] for line in told] == ["downloading org/model"] * 5
    assert any("model.safetensors, " in line and line.endswith(" MB") for line in told)


def test_what_is_in_the_cache_is_loaded_and_nobody_asked(hub, cache):
    told: list[str] = []
    Checkpoint.obtain(of("org/model"))
    huggingface.shutdown()
    huggingface.server_close()
    assert loads(Checkpoint.obtain(of("org/model"), told.append))
    assert told == []


def test_what_others_put_into_the_cache_is_loaded_offline(stt_checkpoint, cache, monkeypatch):
    put_into_hub_cache(stt_checkpoint, cache, "org/model")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert loads(Checkpoint.obtain(of("org/model")))


def says(message: str):
    return pytest.raises(CheckpointError, match=message)


def test_a_hub_that_cannot_be_reached_is_said(cache, monkeypatch):
    _ask(monkeypatch, free_port())
    with says(r"config.json of org/model \(main\) cannot be downloaded.*does not answer.*Check the network"):
        Checkpoint.obtain(of("org/model"))


def test_a_model_that_is_wanted_offline_and_not_in_the_cache_is_said(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with says("HF_HUB_OFFLINE is set, and config.json of org/model .* is not in the cache .*Start once without it"):
        Checkpoint.obtain(of("org/model"))


@pytest.mark.parametrize(
    ("model", "revision", "message"),
    [
        ("org/modle", "main", "no repository “org/modle”.*Is the name right"),
        ("org/model", "mian", "org/model has no revision “mian”"),
        ("a/b/c", "main", "“a/b/c” is no folder here and no name of a repository"),
    ],
)
def test_a_name_that_the_hub_does_not_know_is_said(hub, model, revision, message):
    with says(message):
        Checkpoint.obtain(of(model, revision))


def test_a_full_disk_is_said_before_the_download(hub, monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(huggingface.shutil, "disk_usage", lambda _: usage)
    with says(r"no room for org/model.*the disk of .* has 1 MB left.*HF_HOME"):
        Checkpoint.obtain(of("org/model"))


def test_a_folder_that_is_not_there_is_said():
    with says("There is no file /nowhere/config.json"):
        Checkpoint.obtain(of("/nowhere"))


@pytest.mark.parametrize("missing", ["model.safetensors", "mimi.safetensors", "tokenizer.model", "mimi_config.json"])
def test_a_file_that_is_missing_is_named(stt_checkpoint, tmp_path, missing):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    (folder / missing).unlink()
    with says(f"There is no file .*/{missing}"):
        Checkpoint.obtain(of(folder))


def test_weights_that_do_not_fit_the_configuration_are_said(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dim": 128}))
    with says(r"do not fit its configuration: .*size mismatch"):
        Checkpoint.obtain(of(folder)).lm("cpu", torch.float32)


def test_a_configuration_that_moshi_does_not_know_is_said(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "novelty": 1}))
    with says(r"do not fit its configuration: .*novelty.*recent enough"):
        Checkpoint.obtain(of(folder)).lm("cpu", torch.float32)


def test_weights_that_were_cut_off_are_said(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with says(r"cannot be read: .*delete it and start again"):
        Checkpoint.obtain(of(folder)).lm("cpu", torch.float32)


def test_a_configuration_that_is_no_json_is_said(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    (folder / "config.json").write_text('{"dim": 64,')
    with says("is no valid JSON"):
        Checkpoint.obtain(of(folder))
