"""Kyutai's speech to text: duration of a step in the engine and in the package's own loop, in the same run.

    python -m benchmarks.stt_engine --frames 50

The weights are random, which does not affect the speed. On the CPU: a small model with 16 streams in one batch against
16 loops of one stream, and stt-1b-en_fr with one stream and a full context. `benchmarks.gpu_check` measures a GPU.
"""

import os

os.environ.setdefault("NO_TORCH_COMPILE", "1")  # read when moshi is imported

import argparse
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
from inference.loading.device import find_device
from inference.messages import FRAME_SAMPLES
from tests.support.models.checkpoints import build_stt, checkpoint_info

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
}
"""The shape, from the configuration that upstream publishes for its servers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100, help="number of steps to measure")
    frames = parser.parse_args().frames
    print(f"{find_device('cpu').name}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    small_model_in_a_batch(frames)
    full_size_on_cpu("stt-1b-en_fr", frames)


def small_model_in_a_batch(frames: int) -> None:
    with TemporaryDirectory() as folder:
        info = checkpoint_info(build_stt(Path(folder)))
        alone = median(times_of(package_loop(info.get_mimi(), info.get_moshi(dtype=torch.float32)), frames))
        print(f"\nSmall model, float32. The package's loop, one stream: {alone:.1f} ms per frame.")
        print("streams   engine ms   as many loops ms   throughput ratio")
        for streams in (1, 4, 16):
            model = Model(info.get_mimi(), info.get_moshi(dtype=torch.float32), streams, silence=0)
            model.warm_up()
            duration = median(times_of(engine_loop(model, streams), frames))
            print(f"{streams:7} {duration:11.1f} {streams * alone:18.1f} {streams * alone / duration:18.1f}")


def full_size_on_cpu(name: str, frames: int) -> None:
    print(f"\n{name}, full size, one stream, full context; ms per frame, Mimi and language model")
    mimi, lm = random_model(name, "cpu", torch.bfloat16)
    package_times = times_of(package_loop(mimi, lm), max(5, frames // 10))
    stop_streaming(mimi, lm)
    weights = sum(part.numel() for part in (*lm.transformer.parameters(), *lm.text_linear.parameters()))  # int8
    model = Model(mimi, lm, 1, silence=0, int8=True)
    model.warm_up()
    fill(model)
    engine_times = times_of(engine_loop(model, 1), frames)
    mimi_times = times_of(lambda: model._mimi.encode(model._pcm[:1]), frames)
    print_times("the package, bfloat16", package_times)
    print_times("the engine, int8 weights", engine_times)
    print(f"of which Mimi {median(mimi_times):.0f} ms; {model.bytes_per_row / 1e6:.0f} MB per slot")
    read, speed = weights + model.bytes_per_row + mimi_bytes(mimi), memory_speed()
    print(
        f"A frame reads {read / 1e9:.2f} GB. This machine reads {speed / 1e9:.1f} GB/s: at least "
        f"{1000 * read / speed:.0f} ms."
    )


def mimi_bytes(mimi: MimiModel) -> int:
    """Bytes read to encode a frame: the weights of the encoder, and each codebook once."""
    parts = (mimi.encoder, mimi.encoder_transformer, mimi.downsample)
    codebooks = sum(m.embedding.nbytes for m in mimi.quantizer.modules() if isinstance(m, EuclideanCodebook))
    return codebooks + sum(weight.nbytes for part in parts for weight in part.parameters())


def memory_speed() -> float:
    """Bytes per second when all threads read more than the caches hold."""
    data = torch.ones(250_000_000)
    return 1000 * data.nbytes / min(times_of(data.sum, 5))


# --- Models, loops, timing ------------------------------------------------------------------------------------------


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
    """Fill every ring buffer, as after many minutes."""
    for row in range(model.slots):
        model._mimi_state.rewind(row, 5000)
        model._lm_state.rewind(row, 5000)


def package_loop(mimi: MimiModel, lm: LMModel) -> Callable[[], Any]:
    """One frame of one stream as in the package's own scripts; its attention always covers the whole ring."""
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
    """Milliseconds of each of `count` calls, after three warm-up calls."""
    times = []
    for number in range(count + 3):
        started = time.perf_counter()
        with torch.no_grad():
            call()
        if number >= 3:
            times.append(1000 * (time.perf_counter() - started))
    return times


def print_times(title: str, times: list[float]) -> None:
    p95 = quantiles(times, n=20)[18]
    print(f"{title:26} median {median(times):6.1f}   p95 {p95:6.1f}   fastest {min(times):6.1f}")


if __name__ == "__main__":
    main()
