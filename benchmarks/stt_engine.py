"""Kyutai's speech to text: what a step costs, in the engine and in the package's own loop, in the same run.

    python -m benchmarks.stt_engine            what this machine can show
    python -m benchmarks.stt_engine --frames 50

The weights are random, which changes nothing of the speed. On a CPU: a small model with 16 streams in one batch beside
16 loops of one stream, and stt-1b-en_fr with one stream and everything it remembers filled. On a CUDA GPU: both models
with ever more streams, until the memory is full.
"""

import os

os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported

import argparse
import gc
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from moshi.models import LMGen, LMModel, MimiModel, loaders
from moshi.quantization.core_vq import EuclideanCodebook

from inference.engines.stt.moshi_stt.model import Model
from inference.loading import presets
from inference.loading.device import find_device, plan
from inference.messages import FRAME_SAMPLES
from tests.support.models.checkpoints import build_stt, checkpoint_info

FRAME_MS = 80.0
STT = {
    "card": 2048,
    "n_q": 32,
    "dep_q": 0,
    "delays": [0] * 33,
    "dim": 2048,
    "hidden_scale": 4.125,
    "causal": True,
    "max_period": 100_000,
    "gating": "silu",
    "norm": "rms_norm_f32",
    "positional_embedding": "rope",
    "depformer_multi_linear": True,
    "depformer_dim": 1024,
}
SHAPES: dict[str, dict[str, Any]] = {
    "stt-1b-en_fr": {
        "text_card": 8000,
        "num_heads": 16,
        "num_layers": 16,
        "context": 750,
        "extra_heads_num_heads": 4,
        "extra_heads_dim": 6,
    },
    "stt-2.6b-en": {"text_card": 4000, "num_heads": 32, "num_layers": 48, "context": 375},
}
"""From the configurations that upstream publishes for its servers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100, help="steps that are timed")
    frames = parser.parse_args().frames
    device = find_device()
    print(f"{device.name}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    if device.kind == "cuda":
        for name in SHAPES:
            on_gpu(name, frames)
    else:
        small_model_in_a_batch(frames)
        full_size_on_cpu("stt-1b-en_fr", frames)


# --- On a CPU -------------------------------------------------------------------------------------------------------


def small_model_in_a_batch(frames: int) -> None:
    with TemporaryDirectory() as folder:
        info = checkpoint_info(build_stt(Path(folder)))
        alone = median(times_of(package_loop(info.get_mimi(), info.get_moshi(dtype=torch.float32)), frames))
        print(f"\nSmall model, float32. The package's loop, one stream: {alone:.1f} ms a frame.")
        print("streams   engine ms   as many loops ms   times the throughput")
        for streams in (1, 4, 16):
            model = Model(info.get_mimi(), info.get_moshi(dtype=torch.float32), streams, silence=0)
            model.warm_up()
            took = median(times_of(engine_loop(model, streams), frames))
            print(f"{streams:7} {took:11.1f} {streams * alone:18.1f} {streams * alone / took:22.1f}")


def full_size_on_cpu(name: str, frames: int) -> None:
    print(f"\n{name}, full size, one stream, everything it remembers filled; ms a frame, Mimi and language model")
    mimi, lm = random_model(name, "cpu", torch.bfloat16)
    stock = times_of(package_loop(mimi, lm), max(5, frames // 10))
    stop_streaming(mimi, lm)
    weights = sum(part.numel() for part in (*lm.transformer.parameters(), *lm.text_linear.parameters()))  # int8
    model = Model(mimi, lm, 1, silence=0, int8=True)
    model.warm_up()
    fill(model)
    ours = times_of(engine_loop(model, 1), frames)
    ears = times_of(lambda: model._mimi.encode(model._pcm[:1]), frames)
    print_times("the package, bfloat16", stock)
    print_times("the engine, int8 weights", ours)
    print(f"of which Mimi {median(ears):.0f} ms; {model.bytes_per_row / 1e6:.0f} MB a slot")
    read, speed = weights + model.bytes_per_row + bytes_of_ears(mimi), memory_speed()
    print(
        f"A frame reads {read / 1e9:.2f} GB. This machine reads {speed / 1e9:.1f} GB a second: no less than "
        f"{1000 * read / speed:.0f} ms."
    )


def bytes_of_ears(mimi: MimiModel) -> int:
    """What an encoded frame reads: the weights of the encoder, and each codebook once."""
    parts = (mimi.encoder, mimi.encoder_transformer, mimi.downsample)
    codebooks = sum(m.embedding.nbytes for m in mimi.quantizer.modules() if isinstance(m, EuclideanCodebook))
    return codebooks + sum(weight.nbytes for part in parts for weight in part.parameters())


def memory_speed() -> float:
    """Bytes a second, all threads reading what no cache holds."""
    much = torch.ones(250_000_000)
    return 1000 * much.nbytes / min(times_of(much.sum, 5))


# --- On a GPU -------------------------------------------------------------------------------------------------------


def on_gpu(name: str, frames: int) -> None:
    preset = presets.load({})[name]
    intended = plan(preset, find_device())
    mimi, lm = random_model(name, intended.device.torch_name, intended.torch_dtype)
    alone = median(times_of(package_loop(mimi, lm), frames))
    print(f"\n{name}, {intended}. The package's loop, one stream: {alone:.1f} ms a frame.")
    print("  slots   p50 ms   p99 ms    RTF   real time   MB/slot   Mimi ms   LM ms   read ms")
    for slots in (*(count for count in (1, 8, 64, 128, 256, 400, 700, 1000) if count < intended.slots), intended.slots):
        stop_streaming(mimi, lm)
        del mimi, lm
        gc.collect()
        torch.cuda.empty_cache()
        mimi, lm = random_model(name, intended.device.torch_name, intended.torch_dtype)
        try:
            gpu_row(Model(mimi, lm, slots, silence=0), slots, frames)
        except torch.OutOfMemoryError:
            print(f"{slots:7}   out of memory")
            return


def gpu_row(model: Model, slots: int, frames: int) -> None:
    model.warm_up()
    fill(model)
    steps = times_of(engine_loop(model, slots), frames)
    p50, p99 = median(steps), quantiles(steps, n=100)[98]
    with torch.no_grad():
        ears = median(times_of(synchronized(lambda: model._mimi.encode(model._pcm[:slots])), frames))
        codes = model._mimi.encode(model._pcm[:slots])
        thought = median(times_of(synchronized(lambda: model._decode(codes, slots)), frames))
    read = median(times_of(lambda: model._result_here[:slots].copy_(model._result[:slots]), frames))
    print(
        f"{slots:7} {p50:8.1f} {p99:8.1f} {p50 / FRAME_MS:6.2f} {int(slots * FRAME_MS / p99):11}"
        f" {model.bytes_per_row / 1e6:9.0f} {ears:9.1f} {thought:7.1f} {read:9.2f}"
    )


def synchronized(call: Callable[[], Any]) -> Callable[[], None]:
    def both() -> None:
        call()
        torch.cuda.synchronize()

    return both


# --- Models, loops, clocks ------------------------------------------------------------------------------------------


def random_model(name: str, device: str, dtype: torch.dtype) -> tuple[MimiModel, LMModel]:
    torch.manual_seed(0)
    mimi = loaders.get_mimi(None, None, device=device, num_codebooks=32)
    lm = LMModel(device="meta", dtype=dtype, **STT, **SHAPES[name]).to_empty(device=device).eval()
    with torch.no_grad():
        for parameter in lm.parameters():
            parameter.fill_(1.0) if parameter.dim() == 1 else parameter.normal_(0, 0.02)
        for module in mimi.modules():
            if type(module).__name__ == "EuclideanCodebook":
                module.embedding_sum.normal_()
                module.cluster_usage.fill_(1)
                module._initialized.fill_(1)
    return mimi, lm


def stop_streaming(mimi: MimiModel, lm: LMModel) -> None:
    mimi._stop_streaming()
    lm._stop_streaming()


def fill(model: Model) -> None:
    """As after many minutes: every ring is full."""
    for row in range(model.slots):
        model._mimi_state.rewind(row, 5000)
        model._lm_state.rewind(row, 5000)


def package_loop(mimi: MimiModel, lm: LMModel) -> Callable[[], Any]:
    """A frame of one stream, as the package's own scripts take it; its attention always goes over the whole ring."""
    gen = LMGen(lm, use_sampling=False, support_out_of_sync=True)
    mimi.streaming_forever(1)
    gen.streaming_forever(1)
    pcm = torch.zeros(1, 1, FRAME_SAMPLES, device=lm.device)

    def frame() -> None:
        with torch.no_grad():
            out, _ = gen.step_with_extra_heads(mimi.encode(pcm))
        out.tolist()

    return frame


def engine_loop(model: Model, streams: int) -> Callable[[], Any]:
    pcm = np.random.default_rng(0).standard_normal(FRAME_SAMPLES).astype(np.float32) / 8
    frames = dict.fromkeys(range(streams), pcm)
    return lambda: model.step(frames, streams)


def times_of(call: Callable[[], Any], count: int) -> list[float]:
    """Milliseconds of each of `count` calls, after a few that do not count."""
    times = []
    for number in range(count + 3):
        began = time.perf_counter()
        with torch.no_grad():
            call()
        if number >= 3:
            times.append(1000 * (time.perf_counter() - began))
    return times


def print_times(what: str, times: list[float]) -> None:
    p95 = quantiles(times, n=20)[18]
    print(f"{what:26} median {median(times):6.1f}   p95 {p95:6.1f}   fastest {min(times):6.1f}")


if __name__ == "__main__":
    main()
