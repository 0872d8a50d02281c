"""Speech to text: loading, equality with the package, CUDA graphs, and steps by number of streams."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from moshi.models import LMGen
from moshi.utils.compile import no_cuda_graph

from benchmarks.gpu_check.check import Check, NotRun
from benchmarks.gpu_check.measure import REAL_TIME_MS, memory_mb, p50, p99, quantiles, step_times
from benchmarks.gpu_check.parity import BOUNDS, agree, deviation, equal_steps, exact_float32, recording
from benchmarks.gpu_check.report import duration
from inference.engine import Frame
from inference.engines.stt.moshi_stt import MoshiStt
from inference.engines.stt.moshi_stt.model import Model
from inference.loading.checkpoints import Checkpoint, with_model_values
from inference.loading.device import find_device, plan
from inference.messages import FRAME_SAMPLES, Open

STREAMS = (1, 16, 64, 128, 256, 512, 768, 1024)
GRAPH_ROWS = 64
PARITY_FRAMES, SPEED_STEPS = 24, 100
SMALL_FRAMES, SMALL_STEPS = 6, 2
MIN_EQUAL_TOKENS = 0.9
"""In bfloat16, where two tokens may be equally likely; in float32 all are equal."""


def run(check: Check, name: str) -> None:
    """The section of the preset `name`."""
    check.part("float32", partial(_check_tokens, check, name))
    check.part("bfloat16", partial(check_logits, check, name, "bfloat16"))
    check.part("CUDA graphs", partial(_compare_graphs, check, name))
    _measure_streams(check, name)


def speech(row: int, frames: int) -> list[Frame]:
    """Noise whose loudness changes, so that codes and tokens do too; other for each row."""
    rng = np.random.default_rng(row)
    loudness = rng.choice([0.02, 0.1, 0.4], frames)
    return [(each * rng.standard_normal(FRAME_SAMPLES)).clip(-1, 1).astype(np.float32) for each in loudness]


def batch(check: Check, name: str, dtype: str, rows: int, *, has_graphs: bool = True) -> Model:
    """The engine's batch, without silence before the streams, so that the package's loop needs none."""
    preset = with_model_values(check.checkpoints.preset(name, dtype=dtype))
    intended = plan(preset, find_device(preset.device), rows)
    checkpoint = Checkpoint.obtain(preset, lambda text: None)
    model = Model(
        checkpoint.mimi(check.device),
        checkpoint.lm(intended.load_device, intended.torch_dtype),
        rows,
        silence=0,
        int8=dtype == "int8",
    )
    model.warm_up()
    if not has_graphs:
        model._graphs.clear()
    for row in range(rows):
        model.reset_row(row)
    return model


def tokens_of(model: Model, audio: list[list[Frame]]) -> list[list[int]]:
    """The text tokens of each row for its audio."""
    tokens: list[list[int]] = [[] for _ in audio]
    for frames in zip(*audio, strict=True):
        for row, result in model.step(dict(enumerate(frames)), len(audio)).items():
            tokens[row].append(result.token)
    return tokens


# --- Equality with the package ----------------------------------------------------------------------------------------


def _parity_audio(check: Check) -> list[list[Frame]]:
    return [speech(row, SMALL_FRAMES if check.small else PARITY_FRAMES) for row in range(check.rows)]


def _check_tokens(check: Check, name: str) -> None:
    """In float32 the streams of a batch, with CUDA graphs, must have the tokens of the package's loop."""
    audio = _parity_audio(check)
    with exact_float32():
        model = batch(check, name, "float32", len(audio))
        found = tokens_of(model, audio)
        del model
        check.free()
        expected = _package_tokens(check, name, audio)
    equal = sum(equal_steps(*pair) for pair in zip(found, expected, strict=True))
    count = sum(map(len, expected))
    is_correct = agree(found, expected, is_exact=not check.is_cuda)
    check.report.check("tokens as in the package, float32", is_correct, f"{equal} of {count}")


@torch.no_grad()
def _package_tokens(check: Check, name: str, audio: list[list[Frame]]) -> list[list[int]]:
    checkpoint = Checkpoint.obtain(check.checkpoints.preset(name), lambda text: None)
    mimi, lm = checkpoint.mimi(check.device), checkpoint.lm(check.device, torch.float32)
    found = []
    for frames in audio:
        gen = LMGen(lm, use_sampling=False, support_out_of_sync=True)
        with no_cuda_graph(), mimi.streaming(1), gen.streaming(1):
            gen.step(lm._get_initial_token()[:, 1:])
            codes = [mimi.encode(torch.from_numpy(frame)[None, None].to(check.device)) for frame in frames]
            steps = [gen.step(each) for each in codes]
        found.append([int(step[0, 0, 0]) for step in steps if step is not None])
    return found


def check_logits(check: Check, name: str, dtype: str) -> None:
    """A batch of the engine in this precision against the package in bfloat16, on the same input."""
    audio = _parity_audio(check)
    with recording() as found:
        model = batch(check, name, dtype, len(audio), has_graphs=False)
        found.clear()
        tokens_of(model, audio)
    del model
    check.free()
    lm = Checkpoint.obtain(check.checkpoints.preset(name), lambda text: None).lm(check.device, torch.bfloat16)
    found_deviation, same = deviation(found, lm, first=lm._get_initial_token())
    figures = f"deviation {found_deviation:.4f}, bound {BOUNDS[dtype]}; same likeliest token {100 * same:.0f}%"
    check.report.check(f"logits as in the package, {dtype}", found_deviation <= BOUNDS[dtype], figures)


# --- Speed ------------------------------------------------------------------------------------------------------------


def _compare_graphs(check: Check, name: str) -> None:
    check.require_cuda()
    model = batch(check, name, "bfloat16", GRAPH_ROWS)
    audio = [speech(row, PARITY_FRAMES) for row in range(GRAPH_ROWS)]
    frames = dict(enumerate(each[0] for each in audio))
    figures, tokens = [], []
    for title in ("on", "off"):
        for row in range(GRAPH_ROWS):
            model.reset_row(row)
        tokens.append(np.array(tokens_of(model, audio)))
        times = step_times(lambda: model.step(frames, GRAPH_ROWS), PARITY_FRAMES)
        figures.append(f"{title} {p50(times):.1f} ms")
        model._graphs.clear()
    same = float((tokens[0] == tokens[1]).mean())
    text = f"a step of {GRAPH_ROWS}: {', '.join(figures)}; equal tokens {100 * same:.1f}%"
    check.report.check("CUDA graphs", same >= MIN_EQUAL_TOKENS, text)


def _measure_streams(check: Check, name: str) -> None:
    """One engine with as many slots as the memory holds; with fewer if that was planned too tightly."""
    preset = with_model_values(check.checkpoints.preset(name))
    largest = 2 if check.small else min(plan(preset, find_device(preset.device)).memory_slots, STREAMS[-1])
    for slots in (largest, largest * 3 // 4, largest // 2):
        done = check.part(f"{slots} slots", partial(measure_engine, check, name, slots, STREAMS))
        if done or not check.budget.has_time:
            return


def measure_engine(check: Check, name: str, slots: int, streams: Sequence[int], dtype: str = "auto") -> None:
    """Load the engine with so many slots, and measure steps of `streams` of them, and of all."""
    before, loading = memory_mb(check.device), []
    with duration(loading):
        engine = MoshiStt(slots, check.checkpoints.preset(name, dtype=dtype), lambda text: None)
    used = memory_mb(check.device) - before
    check.report.row(
        f"load {slots} slots", f"{loading[0]:.1f} s, with the warm-up, without reading files; {used:,.0f} MB"
    )
    if not engine._vad:
        check.report.not_run("voice activity", "the package silero-vad isn't installed; steps are too fast without it")
    durations: dict[int, float] = {}

    def measure(count: int) -> None:
        durations[count] = _measure_steps(check, engine, count)

    for count in [each for each in streams if each < slots] + [slots]:
        check.part(f"{count} streams", partial(measure, count))
    carried = max((count for count, p99_ms in durations.items() if p99_ms <= REAL_TIME_MS), default=0)
    check.report.row(f"most streams with a p99 under {REAL_TIME_MS:.0f} ms", f"{carried}, of the numbers measured")


def _measure_steps(check: Check, engine: MoshiStt, streams: int) -> float:
    """Measure steps of the engine, and those of the networks alone; return the engine's p99 in milliseconds."""
    frames = {slot: speech(slot, 1)[0] for slot in range(streams)}
    for slot in frames:
        engine.open(slot, Open(f"{slot}", "", 0.0, 0, "en"))
    count = SMALL_STEPS if check.small else SPEED_STEPS
    times = step_times(
        lambda: engine.step({slot: frame for slot, frame in frames.items() if slot not in engine.draining}),
        count,
        lambda: check.budget.has_time,
    )
    alone = step_times(lambda: engine._model.step(frames, streams), count // 2, lambda: check.budget.has_time)
    open_streams = len(engine._decoders)
    for slot in frames:
        engine.close(slot)
    if open_streams < streams:
        raise NotRun("out of memory")
    check.report.row(
        f"{streams} streams",
        f"step {quantiles(times)}   networks {p50(alone):7.1f} ms   {memory_mb(check.device):9,.0f} MB",
    )
    return p99(times)
