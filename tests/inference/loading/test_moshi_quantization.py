"""int8 weights: on a GPU they run on the same code as here, with torch's own product."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import torch
from moshi.models import LMModel
from torch import nn

from inference.engines.stt.moshi_stt.model import Model
from inference.loading import presets, quantization
from inference.loading.checkpoints import Checkpoint
from inference.loading.device import MIMI_MB, Device, plan
from inference.loading.quantization import FbgemmProduct, Int8Linear, TorchProduct, quantize
from tests.support.models import released_checkpoints
from tests.support.models.checkpoints import checkpoint_info
from tests.support.models.moshi_alone import SpeechOptions, Together, load

pytestmark = pytest.mark.models

CPU = torch.device("cpu")
MAX_DEVIATION, MIN_EQUAL = 0.5, 0.9
"""Bounds of the deviation of a logit, in standard deviations of all logits, and of the share of equal tokens, compared
with float32 (docs/engines.md)."""


@pytest.fixture(params=[FbgemmProduct, TorchProduct])
def product(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> type[FbgemmProduct | TorchProduct]:
    """A product, which `quantize` uses."""
    monkeypatch.setattr(quantization, "FbgemmProduct", request.param)
    return request.param


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(256, 128).requires_grad_(requires_grad=False)


@pytest.mark.parametrize("rows", [1, 5, 40])
def test_a_layer_is_close_to_the_original(product, linear: nn.Linear, rows: int) -> None:
    x = torch.randn(rows, 1, 256)
    exact, ours = linear(x), Int8Linear(linear, CPU, product)(x)
    assert ours.shape == exact.shape
    assert (ours - exact).norm() / exact.norm() < 0.03


@pytest.mark.parametrize("loud", [1000.0, torch.nan, torch.inf])
def test_a_row_is_independent_of_the_others(product, linear: nn.Linear, loud: float) -> None:
    x = torch.randn(5, 1, 256)
    x[4] *= loud
    layer = Int8Linear(linear, CPU, product)
    assert torch.equal(layer(x)[2:3], layer(x[2:3]))


def test_zero_input_gives_the_bias(product, linear: nn.Linear) -> None:
    assert torch.equal(Int8Linear(linear, CPU, product)(torch.zeros(1, 1, 256))[0, 0], linear.bias)


def test_the_output_has_the_dtype_of_the_input(product, linear: nn.Linear) -> None:
    assert Int8Linear(linear, CPU, product)(torch.zeros(1, 1, 256, dtype=torch.bfloat16)).dtype == torch.bfloat16


def logits_of(lm: LMModel, conditions: dict[str, Any] | None) -> list[torch.Tensor]:
    """The logits of text, and of audio if the model makes some, for the same random tokens."""
    generator = torch.Generator().manual_seed(0)
    tokens = torch.randint(0, lm.card, (4, lm.num_codebooks, 24), generator=generator)
    tokens[:, 0] = torch.randint(0, lm.text_card, (4, 24), generator=generator)
    inputs = ()
    if lm.fuser is not None:
        inputs = (lm.fuser.get_sum(conditions).to(lm.dtype), lm.fuser.get_cross(conditions).to(lm.dtype))
    with torch.no_grad():
        hidden, text = lm.forward_text(tokens, *inputs)
        return [text, lm.forward_depformer_training(tokens, hidden)] if lm.dep_q else [text]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", ["stt", "tts"])
def test_a_model_is_close_to_the_original(
    product, stt_checkpoint: Path, tts_checkpoint: Path, kind: str, dtype: torch.dtype, monkeypatch
) -> None:
    folder = stt_checkpoint if kind == "stt" else tts_checkpoint
    exact, ours = checkpoint_info(folder).get_moshi(), checkpoint_info(folder).get_moshi(dtype=dtype)
    conditions = None
    if kind == "tts":
        model = load(folder)
        voice = folder / "voices" / f"alba{model.voice_suffix}"
        attributes = [model.make_condition_attributes([voice], cfg_coef=2.0)] * 4
        conditions = exact.condition_provider.prepare_and_provide(attributes)
    if dtype == torch.bfloat16:  # as on a GPU, where everything else stays in bfloat16
        monkeypatch.setattr(ours, "float", lambda: ours)
    exact.float()
    quantize(ours, CPU)
    for expected, actual in zip(logits_of(exact, conditions), logits_of(ours, conditions), strict=True):
        assert (actual.float() - expected).abs().max() / expected.std() < MAX_DEVIATION
        assert (actual.argmax(-1) == expected.argmax(-1)).float().mean() > MIN_EQUAL


def test_everything_that_moshi_does_not_slice_itself_is_quantized(product, tts_checkpoint: Path) -> None:
    lm = checkpoint_info(tts_checkpoint).get_moshi()
    quantize(lm, CPU)
    left = {name.split(".")[0] for name, module in lm.named_modules() if type(module) is nn.Linear}
    in_transformer = {name for name, module in lm.transformer.named_modules() if type(module) is nn.Linear}
    assert left == {"text_emb", "depformer_emb", "depformer_text_emb", "condition_provider", "transformer"}
    assert in_transformer == {f"layers.{layer}.cross_attention.in_projs.0" for layer in (0, 1)}


def test_layers_of_other_sizes_stay_as_they_are(stt_checkpoint: Path) -> None:
    lm = checkpoint_info(stt_checkpoint).get_moshi()
    lm.text_linear = nn.Linear(lm.dim, 5, bias=False)
    quantize(lm, CPU, TorchProduct)
    assert type(lm.text_linear) is nn.Linear


def test_speech_to_text_streams_with_the_product_of_a_gpu(stt_checkpoint: Path, monkeypatch) -> None:
    """A stream has the same results alone and beside others."""
    monkeypatch.setattr(quantization, "FbgemmProduct", TorchProduct)
    info = checkpoint_info(stt_checkpoint)
    model = Model(info.get_mimi(), info.get_moshi(), 3, silence=2, int8=True)
    model.warm_up()
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (3, 10, 1920)).astype(np.float32)

    def tokens(streams: list[int]) -> list[list[int]]:
        for row in range(len(streams)):
            model.reset_row(row)
        steps = [
            model.step({row: noise[stream, frame] for row, stream in enumerate(streams)}, len(streams))
            for frame in range(10)
        ]
        return [[step[row].token for step in steps] for row in range(len(streams))]

    assert tokens([0, 1, 2]) == [tokens([stream])[0] for stream in range(3)]


def test_text_to_speech_streams_with_int8_weights(product, tts_checkpoint: Path) -> None:
    """A stream has the same audio alone and beside others."""
    together = Together(tts_checkpoint, slots=2, prepare=lambda model: quantize(model.lm, CPU))
    options = SpeechOptions("hello", seed=1, temperature=0.7)
    together.open(0, options)
    together.speak(0, options.text)
    alone = together.close(0)
    together.open(0, SpeechOptions("the quick", voice="chloé"))
    together.open(1, options)
    together.step({0: "the quick", 1: options.text})
    together.flush(0)
    together.flush(1)
    while together.step():
        pass
    assert together.spoken[1].codes == alone.codes
    assert len(alone.pcm)


def test_presets_can_select_int8() -> None:
    preset = presets.load({"MOSHI_DTYPE": "int8"})["tts-1.6b-en_fr"]
    assert msgspec.structs.asdict(preset)["dtype"] == "int8"


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("stt-1b-en_fr-candle", "stt-1b-en_fr"),
        ("stt-2.6b-en", "stt-2.6b-en"),
        ("tts-1.6b-en_fr", "tts-1.6b-en_fr"),
    ],
)
def test_planned_memory_of_weights_is_not_less_than_they_take(tmp_path: Path, name: str, preset: str) -> None:
    folder = released_checkpoints.build(name, tmp_path / name)
    values = msgspec.structs.replace(presets.load({})[preset], model=str(folder), dtype="int8")
    with released_checkpoints.without_weights():
        lm = Checkpoint.obtain(values).lm("meta", torch.bfloat16)
    quantize(lm, torch.device("meta"))
    products = [layer._product for layer in lm.modules() if isinstance(layer, Int8Linear)]
    quantized = sum(product._weight.nbytes + product._scales.nbytes for product in products)
    unquantized = sum(parameter.numel() for parameter in lm.parameters())
    for device, size in (
        (Device("cuda", "L4", capability=(8, 9), free_mb=2e4), 2),
        (Device("cpu", "", free_mb=2e4), 4),
    ):
        taken = quantized / 1e6 + unquantized * size / 1e6 + MIMI_MB
        assert taken <= plan(values, device, environment={}).weights_mb < 1.03 * taken
