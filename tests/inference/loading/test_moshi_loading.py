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
from huggingface_hub import constants, hf_api
from moshi.models import loaders
from safetensors.torch import save_file

from inference.engines.stt.moshi_stt import MoshiStt
from inference.loading import huggingface, presets
from inference.loading.checkpoints import Checkpoint, with_model_values
from inference.loading.huggingface import CheckpointError
from tests.support.models.checkpoints import put_into_hub_cache
from tests.support.servers.ports import free_port

pytestmark = pytest.mark.models

PRESET = presets.load({})["stt-1b-en_fr"]
COMMIT = "1" * 40


def preset_for(model: Path | str, revision: str = "main") -> presets.Preset:
    return msgspec.structs.replace(PRESET, model=str(model), revision=revision)


def loads(checkpoint: Checkpoint) -> bool:
    lm = checkpoint.lm("cpu", torch.float32)
    return len(lm.extra_heads) == 4 and checkpoint.mimi("cpu").num_codebooks == lm.n_q


class Hub(BaseHTTPRequestHandler):
    """The requests of huggingface_hub, answered for one repository."""

    def __init__(self, *args, folder: Path, requested: list[str], **options) -> None:
        self._folder, self._requested = folder, requested
        super().__init__(*args, **options)

    def do_HEAD(self) -> None:
        self._respond(with_body=False)

    def do_GET(self) -> None:
        self._respond(with_body=True)

    def _respond(self, with_body: bool) -> None:
        if self.path.startswith("/api/models/org/model/tree/main"):
            self._list_files()
            return
        _, owner, name, _, revision, file = self.path.split("/", 5)
        self._requested += [file] if with_body else []
        path = self._folder / file
        if f"{owner}/{name}" != "org/model":
            self._reject(404, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self._reject(404, "RevisionNotFound")
        elif not path.is_file():
            self._reject(404, "EntryNotFound")
        else:
            body = path.read_bytes()
            self.send_response(200)
            headers = {"ETag": f'"{sha256(body).hexdigest()}"', "X-Repo-Commit": COMMIT, "Content-Length": len(body)}
            for header, value in headers.items():
                self.send_header(header, str(value))
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    def _list_files(self) -> None:
        files = [
            {"type": "file", "path": path.name, "size": path.stat().st_size, "oid": "0"}
            for path in self._folder.iterdir()
        ]
        body = json.dumps(files).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reject(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty hub cache; requests are made without retry delays, even if HF_HUB_OFFLINE is set."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    huggingface_hub.utils.reset_sessions()
    monkeypatch.setattr("huggingface_hub.utils._http.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    for function in ("hf_hub_download", "try_to_load_from_cache"):
        original = getattr(huggingface_hub, function)
        monkeypatch.setattr(huggingface_hub, function, partial(original, cache_dir=tmp_path / "hub"))
    yield tmp_path / "hub"
    huggingface_hub.utils.reset_sessions()  # a session created offline stays offline


@pytest.fixture
def hub(cache, stt_checkpoint, tmp_path, monkeypatch):
    """A hub with the repository `org/model`, whose files are in `hub.folder`; `hub.requested` are those downloaded."""
    folder = shutil.copytree(stt_checkpoint, tmp_path / "org")
    requested: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Hub, folder=folder, requested=requested))
    server.folder, server.requested = folder, requested
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    _use_port(monkeypatch, server.server_port)
    yield server
    server.shutdown()


def _use_port(monkeypatch, port: int) -> None:
    for name, value in {
        "ENDPOINT": "",
        "HUGGINGFACE_CO_URL_TEMPLATE": "/{repo_id}/resolve/{revision}/{filename}",
    }.items():
        monkeypatch.setattr(constants, name, f"http://127.0.0.1:{port}{value}")
        monkeypatch.setattr(f"huggingface_hub.file_download.{name}", f"http://127.0.0.1:{port}{value}", raising=False)
    monkeypatch.setattr(hf_api.api, "endpoint", f"http://127.0.0.1:{port}")  # set when it is imported


def test_a_folder_is_loaded(stt_checkpoint):
    assert loads(Checkpoint.obtain(preset_for(stt_checkpoint)))


def test_heads_missing_in_the_configuration_are_loaded(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    del config["extra_heads_num_heads"], config["extra_heads_dim"]
    (folder / "config.json").write_text(json.dumps(config))
    assert loads(Checkpoint.obtain(preset_for(folder)))


def test_heads_missing_in_the_weights_are_not_expected(stt_checkpoint, stt_checkpoint_without_heads, tmp_path):
    folder = shutil.copytree(stt_checkpoint_without_heads, tmp_path / "model")
    shutil.copy(stt_checkpoint / "config.json", folder)
    assert len(Checkpoint.obtain(preset_for(folder)).lm("cpu", torch.float32).extra_heads) == 0


def test_a_repository_is_downloaded_with_progress(hub, cache):
    progress: list[str] = []
    assert loads(Checkpoint.obtain(preset_for("org/model"), progress.append))
    assert [line.split(":")[0] for line in progress] == ["downloading org/model"] * 5
    assert any("model.safetensors, " in line and line.endswith(" MB") for line in progress)


def test_small_files_are_downloaded_first_and_the_weights_last(hub):
    Checkpoint.obtain(preset_for("org/model"))
    assert hub.requested == [
        "config.json",
        "tokenizer.model",
        "mimi_config.json",
        "mimi.safetensors",
        "model.safetensors",
    ]


def test_cached_files_are_loaded_without_a_request(hub, cache):
    progress: list[str] = []
    Checkpoint.obtain(preset_for("org/model"))
    hub.shutdown()
    hub.server_close()
    assert loads(Checkpoint.obtain(preset_for("org/model"), progress.append))
    assert progress == []


def test_a_commit_is_found_where_its_branch_was_downloaded(hub, cache):
    Checkpoint.obtain(preset_for("org/model", "main"))
    hub.shutdown()
    hub.server_close()
    assert loads(Checkpoint.obtain(preset_for("org/model", COMMIT)))


def test_files_that_other_programs_cached_are_loaded_offline(stt_checkpoint, cache, monkeypatch):
    put_into_hub_cache(stt_checkpoint, cache, "org/model")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert loads(Checkpoint.obtain(preset_for("org/model")))


def raises_error(message: str):
    return pytest.raises(CheckpointError, match=message)


def test_an_unreachable_hub_is_reported(cache, monkeypatch):
    _use_port(monkeypatch, free_port())
    with raises_error(r"Can't download config.json of org/model \(main\): .* isn't responding.*Check the network"):
        Checkpoint.obtain(preset_for("org/model"))


def test_an_uncached_model_is_reported_offline(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with raises_error("HF_HUB_OFFLINE is set, but config.json of org/model .* isn't in the cache .*Unset it once"):
        Checkpoint.obtain(preset_for("org/model"))


@pytest.mark.parametrize(
    ("model", "revision", "message"),
    [
        ("org/modle", "main", "no public repository “org/modle”.*Check the name"),
        ("org/model", "mian", "org/model has no revision “mian”"),
        ("a/b/c", "main", "“a/b/c” is neither a local folder nor a repository name"),
    ],
)
def test_an_unknown_name_is_reported(hub, model, revision, message):
    with raises_error(message):
        Checkpoint.obtain(preset_for(model, revision))


def test_a_full_disk_is_reported_before_the_download(hub, monkeypatch):
    """The disk would have room for each file, but not for all of them."""
    sizes = [(hub.folder / name).stat().st_size for name in ("model.safetensors", "mimi.safetensors")]
    usage = shutil.disk_usage("/")._replace(free=huggingface.SPARE_BYTES + max(sizes) + 10_000)
    monkeypatch.setattr(huggingface.shutil, "disk_usage", lambda _: usage)
    with raises_error(r"Not enough disk space for org/model: its files are \d MB, .* has 20\d MB free.*HF_HOME"):
        Checkpoint.obtain(preset_for("org/model"))
    assert hub.requested == ["config.json"]


def test_a_full_disk_does_not_matter_once_everything_is_downloaded(hub, monkeypatch):
    Checkpoint.obtain(preset_for("org/model"))
    monkeypatch.setattr(huggingface.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    Checkpoint.obtain(preset_for("org/model"))


def test_a_missing_file_is_reported_before_the_download(hub):
    (hub.folder / "mimi.safetensors").unlink()
    with raises_error("org/model has no mimi.safetensors at main"):
        Checkpoint.obtain(preset_for("org/model"))
    assert hub.requested == ["config.json"]


@pytest.mark.parametrize(
    ("preset", "changes", "message"),
    [
        (PRESET, {"model_type": "tts", "dep_q": 32}, "It is a text-to-speech model, not a speech-to-text model"),
        (PRESET, {"architectures": ["KyutaiSpeechToText"]}, "It is in the format of the transformers library"),
        (presets.load({})["tts-1.6b-en_fr"], {"model_type": "tts", "dep_q": 32}, "It has no selectable voices"),
    ],
)
def test_an_unusable_model_is_rejected_before_its_weights_are_downloaded(hub, preset, changes, message):
    """`test_model_config.py` has all reasons."""
    change_config(hub.folder, changes)
    with raises_error(rf"^org/model \(main\) can't be used\. {message}"):
        Checkpoint.obtain(msgspec.structs.replace(preset, model="org/model", revision="main"))
    assert hub.requested == ["config.json"]


def change_config(folder: Path, changes: dict[str, object]) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changes))


def test_a_repository_for_another_program_is_recognized_by_its_files(hub):
    (hub.folder / "config.json").unlink()
    with raises_error(r"org/model has no config.json at main.*set `architecture` in its preset"):
        Checkpoint.obtain(preset_for("org/model"))
    (hub.folder / "model-q4.gguf").touch()
    with raises_error(r"org/model has no config.json at main.*\.gguf files are for llama.cpp"):
        Checkpoint.obtain(preset_for("org/model"))
    assert hub.requested == []


def test_the_architecture_of_the_preset_stands_in_for_a_missing_configuration(hub):
    (hub.folder / "config.json").unlink()
    shutil.copy(hub.folder / "tokenizer.model", hub.folder / loaders.TEXT_TOKENIZER_NAME)
    shutil.copy(hub.folder / "mimi.safetensors", hub.folder / loaders.MIMI_NAME)
    preset = msgspec.structs.replace(preset_for("org/model"), architecture="moshi-7b")
    with raises_error("a model that generates or delays audio"):
        Checkpoint.obtain(preset)
    assert hub.requested == []
    assert Checkpoint.obtain(msgspec.structs.replace(preset, kind="dialogue")).info.lm_config == loaders._lm_kwargs


def test_mlx_weights_are_recognized(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    save_file({"audio_embs.0.weight": torch.zeros(1)}, folder / "model.safetensors")
    with raises_error("are in the format of MLX"):
        Checkpoint.obtain(preset_for(folder)).lm("cpu", torch.float32)


def test_the_delay_is_the_models_not_the_presets(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    change_config(folder, {"stt_config": {"audio_delay_seconds": 2.5, "audio_silence_prefix_seconds": 1.5}})
    values = with_model_values(preset_for(folder))
    assert (values.delay, values.silence_prefix) == (32, 1.5)


def test_the_engine_has_the_delay_and_the_size_of_its_model(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    change_config(folder, {"stt_config": {"audio_delay_seconds": 2.5}})
    preset = msgspec.structs.replace(preset_for(folder), device="cpu", dtype="float32", params_billions=1e6)
    assert MoshiStt(1, preset)._decoder_config.delay == 32


def test_only_the_configuration_is_downloaded_to_plan_slots(hub):
    values = with_model_values(preset_for("org/model"))
    assert hub.requested == ["config.json"]
    assert values.params_billions < 0.002
    assert values.slot_mb == 9  # the codec's state, of a fixed size, and little else


def test_an_unknown_configuration_value_is_reported_before_the_download(hub):
    change_config(hub.folder, {"novelty": 1})
    with raises_error(r"don't match its configuration: .*novelty.*up to date"):
        with_model_values(preset_for("org/model"))
    assert hub.requested == ["config.json"]


def test_a_missing_folder_is_reported():
    with raises_error("/nowhere/config.json not found"):
        Checkpoint.obtain(preset_for("/nowhere"))


@pytest.mark.parametrize("missing", ["model.safetensors", "mimi.safetensors", "tokenizer.model", "mimi_config.json"])
def test_a_missing_file_is_named(stt_checkpoint, tmp_path, missing):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    (folder / missing).unlink()
    with raises_error(f"/{missing} not found"):
        Checkpoint.obtain(preset_for(folder))


def test_weights_that_do_not_match_the_configuration_are_reported(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "dim": 128}))
    with raises_error(r"don't match its configuration: .*size mismatch"):
        Checkpoint.obtain(preset_for(folder)).lm("cpu", torch.float32)


def test_an_unknown_configuration_value_is_reported(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "novelty": 1}))
    with raises_error(r"don't match its configuration: .*novelty.*up to date"):
        Checkpoint.obtain(preset_for(folder)).lm("cpu", torch.float32)


def test_truncated_weights_are_reported(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100_000])
    with raises_error("Can't read a file of .*delete the file and restart"):
        Checkpoint.obtain(preset_for(folder)).lm("cpu", torch.float32)


def test_an_invalid_configuration_file_is_reported(stt_checkpoint, tmp_path):
    folder = shutil.copytree(stt_checkpoint, tmp_path / "model")
    (folder / "config.json").write_text('{"dim": 64,')
    with raises_error("isn't valid JSON"):
        Checkpoint.obtain(preset_for(folder))
