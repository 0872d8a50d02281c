"""The loading code fits the checkpoints that were released: every name, shape and dtype, without their weights.

These tests fail if moshi renames a tensor, if a preset's sizes differ from those of its model, or if a default changes
on which a configuration relies.
"""

from pathlib import Path

import msgspec
import pytest
import torch
from safetensors import safe_open

from inference.engines.stt.moshi_stt.model import Model
from inference.loading import presets
from inference.loading.checkpoints import Checkpoint, with_model_values
from inference.loading.device import MIMI_MB
from inference.loading.huggingface import CheckpointError
from tests.support.models.released_checkpoints import build, parameters_of, without_weights

pytestmark = pytest.mark.models

PRESETS = presets.load({})
MIMI_BYTES = 384_644_900


@pytest.fixture
def obtain(tmp_path: Path):
    """Obtain a released checkpoint as if it was configured as the model of a preset."""

    def obtain(name: str, preset: str) -> Checkpoint:
        return Checkpoint.obtain(msgspec.structs.replace(PRESETS[preset], model=str(build(name, tmp_path / name))))

    return obtain


@pytest.mark.parametrize(
    ("name", "preset", "size", "tensors", "heads"),
    [
        ("stt-1b-en_fr-candle", "stt-1b-en_fr", 1_978_522_200, 135, 4),
        ("stt-2.6b-en", "stt-2.6b-en", 5_234_275_128, 323, 0),
    ],
)
def test_a_speech_to_text_model_loads(obtain, name, preset, size, tensors, heads):
    checkpoint = obtain(name, preset)
    assert_files(checkpoint, size, tensors)
    with without_weights():
        lm, mimi = checkpoint.lm("meta", torch.bfloat16), checkpoint.mimi("meta")
    assert len(lm.extra_heads) == heads
    assert mimi.num_codebooks == lm.n_q == 32
    # The state of a stream, from the shapes.
    assert Model(mimi, lm, slots=1, silence=0).bytes_per_row / 1e6 == pytest.approx(PRESETS[preset].slot_mb, abs=1)


def test_the_text_to_speech_model_loads(obtain):
    checkpoint = obtain("tts-1.6b-en_fr", "tts-1.6b-en_fr")
    assert_files(checkpoint, 3_683_719_712, 418)
    with without_weights():
        model = checkpoint.tts("meta", torch.bfloat16, n_q=8)
    assert model.multi_speaker
    assert model.valid_cfg_conditionings == {1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0}
    assert (model.delay_steps, model.machine.second_stream_ahead) == (16, 2)
    assert model.voice_suffix == ".1e68beda@240.safetensors"
    assert model.mimi.num_codebooks == 8


@pytest.mark.parametrize(
    ("name", "preset", "replaced"),
    [
        ("stt-1b-en_fr-candle", "stt-1b-en_fr", "stt-2.6b-en"),
        ("stt-2.6b-en", "stt-2.6b-en", "stt-1b-en_fr"),
        ("tts-1.6b-en_fr", "tts-1.6b-en_fr", "tts-1.6b-en_fr"),
    ],
)
def test_delay_and_sizes_are_those_of_the_model_whatever_the_preset_says(tmp_path, name, preset, replaced):
    model = str(build(name, tmp_path / name))
    wrong = {"params_billions": 9, "unquantized_billions": 9, "slot_mb": 9, "delay": 9, "silence_prefix": 0.5}
    if PRESETS[preset].kind == "tts":
        del wrong["delay"], wrong["silence_prefix"]
    values = with_model_values(msgspec.structs.replace(PRESETS[replaced], model=model, **wrong))
    own = PRESETS[preset]
    assert (values.delay, values.slot_mb) == (own.delay, own.slot_mb)
    assert values.params_billions == pytest.approx(own.params_billions, rel=0.005)
    assert values.unquantized_billions == pytest.approx(own.unquantized_billions, rel=0.005)
    assert values.silence_prefix == {"stt-1b-en_fr": 0.5}.get(preset, 1.0)


def test_a_model_without_voices_and_with_too_few_codebooks_is_rejected_for_both(tmp_path):
    model = str(build("tts-0.75b-en-public", tmp_path / "model"))
    preset = msgspec.structs.replace(PRESETS["tts-1.6b-en_fr"], model=model, quality="higher")
    with pytest.raises(
        CheckpointError, match=r"no selectable voices.*=higher needs 24 .* the model has 16\. Set TTS_QUALITY=high\."
    ):
        Checkpoint.obtain(preset)


@pytest.mark.parametrize(
    ("name", "architecture", "size", "tensors", "dep_q"),
    [
        ("moshiko-pytorch-bf16", "moshi-7b", pytest.approx(15_375e6, abs=1e6), 355, 8),
        ("personaplex-7b-v1", "personaplex-7b", 16_742_874_000, 475, 16),
    ],
)
def test_a_model_whose_configuration_lacks_its_shape_loads(tmp_path, name, architecture, size, tensors, dep_q):
    folder = build(name, tmp_path / name)
    preset = msgspec.structs.replace(
        PRESETS["tts-1.6b-en_fr"], kind="dialogue", model=str(folder), architecture=architecture
    )
    checkpoint = Checkpoint.obtain(preset)
    assert_files(checkpoint, size, tensors)
    with without_weights():
        lm = checkpoint.lm("meta", torch.bfloat16)
    assert (lm.n_q, lm.dep_q, lm.dim, lm.num_codebooks) == (16, dep_q, 4096, 17)


def assert_files(checkpoint: Checkpoint, size: object, tensors: int) -> None:
    """The files have the published sizes in bytes, of moshiko in megabytes, so no tensor is missing here."""
    assert checkpoint.info.moshi_weights.stat().st_size == size
    assert checkpoint.info.mimi_weights.stat().st_size == MIMI_BYTES
    for path, count in ((checkpoint.info.moshi_weights, tensors), (checkpoint.info.mimi_weights, 318)):
        with safe_open(path, "pt") as file:
            assert len(file.keys()) == count


@pytest.mark.parametrize(
    ("name", "preset", "digits"),
    [
        ("stt-1b-en_fr-candle", "stt-1b-en_fr", 3),
        ("stt-2.6b-en", "stt-2.6b-en", 3),
        ("tts-1.6b-en_fr", "tts-1.6b-en_fr", 2),
    ],
)
def test_a_preset_has_the_sizes_of_its_model(name, preset, digits):
    values, parameters = PRESETS[preset], parameters_of(name)
    assert values.params_billions == round(parameters / 1e9, digits)
    assert round(MIMI_BYTES / 1e6) == MIMI_MB
    assert 1 < values.download_mb * 1e6 / (2 * parameters + MIMI_BYTES) < 1.02
