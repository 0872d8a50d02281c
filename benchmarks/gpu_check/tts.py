"""Text to speech: loading, equality with the package, CUDA graphs, first audio and steps by number of streams."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from moshi.models.tts import TTSModel
from moshi.utils.compile import no_cuda_graph

from benchmarks.gpu_check.check import Check
from benchmarks.gpu_check.measure import memory_mb, p50, quantiles, step_times
from benchmarks.gpu_check.models import TTS
from benchmarks.gpu_check.parity import BOUNDS, agree, deviation, equal_steps, exact_float32, recording
from benchmarks.gpu_check.report import duration
from benchmarks.tts_engine import drive
from inference.engines.registry import GUIDANCE, SEED, TEMPERATURE
from inference.engines.tts.moshi_tts import MoshiTts
from inference.engines.tts.moshi_tts.loading import load
from inference.engines.tts.moshi_tts.voices import Voices
from inference.loading.checkpoints import Checkpoint
from inference.loading.presets import CODEBOOKS, Quality
from inference.messages import Open

QUALITIES: dict[int, Quality] = {count: quality for quality, count in CODEBOOKS.items()}
STREAMS, FEW_STREAMS = (1, 16, 32, 64, 128), (1, 32, 64)
GRAPH_SLOTS = 32
COMPARED_CODEBOOKS = 8
TEXT = "The north wind and the sun were disputing which was the stronger, when a traveller came along."
SMALL_TEXT = "a"
TEXTS = ("hello", "a test", "the quick brown fox jumps", "this is a small test")
"""One for each row of the batch that is compared with the package."""
COMPARED_STEPS, SMALL_STEPS = 24, 8
"""Steps of the batch whose logits are compared; all streams still speak then."""
GUIDANCE_VALUE = 2.0

Codes = list[list[int]]


def run(check: Check, codebooks: int) -> None:
    """The section of speech with `codebooks` tokens per frame; one of them also compares it with the package."""
    if codebooks == COMPARED_CODEBOOKS:
        check.part("float32", partial(_check_codes, check))
        check.part("bfloat16", partial(check_logits, check, "bfloat16"))
        check.part("CUDA graphs", partial(_compare_graphs, check))
    streams = STREAMS if codebooks == COMPARED_CODEBOOKS else FEW_STREAMS
    for slots in (1,) if check.small else streams:
        check.part(f"{slots} streams", partial(measure_engine, check, codebooks, slots))


def engine_of(check: Check, slots: int, dtype: str, codebooks: int = COMPARED_CODEBOOKS) -> MoshiTts:
    return load(slots, check.checkpoints.preset(TTS, dtype=dtype, quality=QUALITIES[codebooks]), lambda text: None)


def open_all(engine: MoshiTts, texts: Sequence[str]) -> None:
    """Open a stream for each text, always with the likeliest tokens; the next step gets its text."""
    controls = {GUIDANCE.name: GUIDANCE_VALUE, SEED.name: 1.0, TEMPERATURE.name: 0.0}
    for slot in range(len(texts)):
        engine.open(slot, Open(f"{slot}", "", 0.0, 0, "en", controls=controls))


def speak(engine: MoshiTts, texts: Sequence[str], steps: int = 1000) -> None:
    """Speak a text in each slot, to its end or for so many steps."""
    open_all(engine, texts)
    busy = dict(enumerate(texts))
    for _ in range(steps):
        output = engine.step(busy)
        for slot, text in busy.items():
            if text:
                engine.flush(slot)
        busy = dict.fromkeys(output, "")
        if not busy:
            break
    for slot in range(len(texts)):
        engine.close(slot)


@contextmanager
def recorded_codes(engine: MoshiTts, slots: int) -> Iterator[list[Codes]]:
    """The audio tokens of each slot, frame by frame: the input of the codec."""
    mimi, codes = engine._model.mimi, [[] for _ in range(slots)]
    decode = mimi.decode

    def record(tokens: torch.Tensor) -> torch.Tensor:
        for slot in mimi._streaming_state.exec_mask.nonzero()[:, 0].tolist():
            codes[slot].append(tokens[slot, :, 0].tolist())
        return decode(tokens)

    mimi.decode = record
    yield codes
    mimi.decode = decode


# --- Equality with the package ----------------------------------------------------------------------------------------


def _check_codes(check: Check) -> None:
    """In float32 the streams of a batch, with CUDA graphs, must have the audio tokens of the package's loop."""
    with exact_float32():
        engine = engine_of(check, check.rows, "float32")
        with recorded_codes(engine, check.rows) as found:
            speak(engine, TEXTS[: check.rows])
        del engine
        check.free()
        expected = _package_codes(check)
    equal = sum(equal_steps(*pair) for pair in zip(found, expected, strict=True))
    count = sum(map(len, expected))
    is_correct = agree(found, expected, is_exact=not check.is_cuda)
    check.report.check("frames as in the package, float32", is_correct, f"{equal} of {count}")


def _package_codes(check: Check) -> list[Codes]:
    model, attributes = _package(check, torch.float32)
    model.temp = 0.0
    found = []
    for text in TEXTS[: check.rows]:
        result = model.generate([model.prepare_script([text], padding_between=1)], [attributes])
        found.append([frame[0, 1:, 0].tolist() for frame in result.frames[model.delay_steps :]])
    return found


def _package(check: Check, dtype: torch.dtype) -> tuple[TTSModel, Any]:
    """The package's model and the conditions of the engine's default voice."""
    preset = check.checkpoints.preset(TTS)
    model = Checkpoint.obtain(preset, lambda text: None).tts(check.device, dtype, n_q=COMPARED_CODEBOOKS)
    voices = Voices(model, check.checkpoints.voices(TTS), preset.languages)
    return model, voices.attributes(voices.listed[0].name, GUIDANCE_VALUE)


def check_logits(check: Check, dtype: str) -> None:
    """A batch of the engine in this precision against the package in bfloat16, on the same input."""
    with recording() as found:
        engine = engine_of(check, check.rows, dtype)
        found.clear()
        speak(engine, TEXTS[: check.rows], SMALL_STEPS if check.small else COMPARED_STEPS)
    del engine
    check.free()
    model, attributes = _package(check, torch.bfloat16)
    lm: Any = model.lm
    with torch.no_grad():
        tensors = lm.condition_provider.prepare_and_provide([attributes])
        conditions = lm.fuser.get_sum(tensors).to(lm.dtype), lm.fuser.get_cross(tensors).to(lm.dtype)
    found_deviation, same = deviation(found, lm, conditions=conditions)
    figures = f"deviation {found_deviation:.4f}, bound {BOUNDS[dtype]}; same likeliest token {100 * same:.0f}%"
    check.report.check(f"logits as in the package, {dtype}", found_deviation <= BOUNDS[dtype], figures)


# --- Speed ------------------------------------------------------------------------------------------------------------


def _compare_graphs(check: Check) -> None:
    check.require_cuda()
    engine = engine_of(check, GRAPH_SLOTS, "bfloat16")
    figures, codes = [], []
    for title, graphs in (("on", nullcontext()), ("off", no_cuda_graph())):
        with graphs, recorded_codes(engine, GRAPH_SLOTS) as found:
            speak(engine, [TEXT] * GRAPH_SLOTS, 2 * COMPARED_STEPS)
            open_all(engine, [TEXT] * GRAPH_SLOTS)
            engine.step(dict.fromkeys(range(GRAPH_SLOTS), TEXT))
            for slot in range(GRAPH_SLOTS):
                engine.flush(slot)
            for _ in range(engine._model.delay_steps):  # steps without audio, which are faster
                engine.step(dict.fromkeys(range(GRAPH_SLOTS), ""))
            times = step_times(lambda: engine.step(dict.fromkeys(range(GRAPH_SLOTS), "")), COMPARED_STEPS)
        for slot in range(GRAPH_SLOTS):
            engine.close(slot)
        codes.append([each[:COMPARED_STEPS] for each in found])
        figures.append(f"{title} {p50(times):.1f} ms")
    equal = sum(equal_steps(*pair) for pair in zip(*codes, strict=True))
    count = sum(map(len, codes[0]))
    text = f"a step of {GRAPH_SLOTS}: {', '.join(figures)}; equal frames before a difference {equal} of {count}"
    check.report.check("CUDA graphs", equal >= count / 2, text)


def measure_engine(check: Check, codebooks: int, slots: int, dtype: str = "auto") -> None:
    """Let all slots speak a text, one beginning after the other."""
    before, loading = memory_mb(check.device), []
    with duration(loading):
        engine = engine_of(check, slots, dtype, codebooks)
    used = memory_mb(check.device) - before
    text = SMALL_TEXT if check.small else TEXT
    if not check.small:
        drive(engine, 1, 1, SMALL_TEXT)
    run = drive(engine, slots, 1, text)
    first = [1000 * (stream.first - stream.opened) for stream in run.streams]
    check.report.row(
        f"{slots} streams",
        f"step {quantiles([1000 * step for step in run.steps])}   first audio {quantiles(first)}   "
        f"RTF {max(stream.rtf for stream in run.streams):5.2f}   {used:9,.0f} MB, loaded in {loading[0]:.1f} s",
    )
