"""Memory that runs out during a step: the newest quarter of the streams is shed, the others go on, and the engine can
be used afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

import torch
from moshi.models import LMModel

from benchmarks.gpu_check import tts
from benchmarks.gpu_check.check import Check
from benchmarks.gpu_check.models import STT_1B
from benchmarks.gpu_check.report import listed
from benchmarks.gpu_check.stt import speech
from inference.engines.stt.moshi_stt import MoshiStt
from inference.messages import Closed, Event, Open

STREAMS = 8
SHED = [6, 7]
STEPS = 4
LARGEST, SMALLEST = 1 << 30, 512
"""Bytes of the largest and the smallest blocks with which memory is filled."""

Output = dict[int, list[Event]]


def run(check: Check) -> None:
    check.part("speech to text", partial(_check_stt, check))
    check.part("text to speech", partial(_check_tts, check))


def _check_stt(check: Check) -> None:
    engine = MoshiStt(STREAMS, check.checkpoints.preset(STT_1B), lambda text: None)
    frames = {slot: speech(slot, 1)[0] for slot in range(STREAMS)}

    def step(slots: list[int]) -> Output:
        return engine.step({slot: frames[slot] for slot in slots if slot not in engine.draining})

    for slot in frames:
        engine.open(slot, Open(f"{slot}", "", 0.0, 0, "en"))
    for _ in range(STEPS):
        step([*frames])
    if check.is_cuda:
        with _full_memory(check.device):
            output = step([*frames])
        check.report.check("speech to text, CUDA graphs", not _closed(output), "a step with a full memory goes on")
        engine._model._graphs.clear()  # a graph has its memory; only without it a step can run out
    with _step_without_memory(check, engine._model._lm):
        output = step([*frames])
    _report(
        check, "speech to text", output, [step([slot for slot in frames if slot not in SHED]) for _ in range(STEPS)]
    )
    for slot in SHED:
        engine.open(slot, Open(f"{slot}", "", 0.0, 0, "en"))
    again = [step([*frames]) for _ in range(STEPS)]
    _report_again(check, "speech to text", again)


def _check_tts(check: Check) -> None:
    engine = tts.engine_of(check, STREAMS, "float32" if check.small else "auto")
    texts = [tts.TEXT] * STREAMS
    tts.open_all(engine, texts)
    engine.step(dict(enumerate(texts)))
    for _ in range(STEPS):
        engine.step(dict.fromkeys(range(STREAMS), ""))
    with _step_without_memory(check, engine._model.lm):
        output = engine.step(dict.fromkeys(range(STREAMS), ""))
    rest = dict.fromkeys((slot for slot in range(STREAMS) if slot not in SHED), "")
    _report(check, "text to speech", output, [engine.step(rest) for _ in range(STEPS)])
    tts.open_all(engine, texts)
    again = [
        engine.step(dict(enumerate(texts))),
        *(engine.step(dict.fromkeys(range(STREAMS), "")) for _ in range(STEPS)),
    ]
    _report_again(check, "text to speech", again)


def _report(check: Check, name: str, output: Output, later: list[Output]) -> None:
    shed = _closed(output)
    check.report.check(f"{name}, out of memory", shed == SHED, f"shed {listed(shed)} of {STREAMS}, the newest quarter")
    going_on = min(len(each) for each in later)
    check.report.check(f"{name}, the others", going_on == STREAMS - len(SHED), f"{going_on} streams go on")


def _report_again(check: Check, name: str, later: list[Output]) -> None:
    again = min(len(each) for each in later)
    check.report.check(f"{name}, afterwards", again == STREAMS, f"{again} streams in the same engine")


def _closed(output: Output) -> list[int]:
    return sorted(slot for slot, events in output.items() if any(isinstance(event, Closed) for event in events))


@contextmanager
def _step_without_memory(check: Check, lm: LMModel) -> Iterator[None]:
    try:
        with _full_memory(check.device) if check.is_cuda else _failing_step(lm):
            yield
    except torch.OutOfMemoryError as error:
        raise RuntimeError(f"the engine is lost: {error}") from error


@contextmanager
def _full_memory(device: str) -> Iterator[None]:
    """Give torch no more memory than it has, and take all of that, until the engine has it release what it caches: as
    if another program needed the GPU's memory for a moment."""
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(torch.cuda.memory_reserved(device) / total, device)
    taken = list(_blocks(device))
    empty_cache = torch.cuda.empty_cache

    def release() -> None:
        taken.clear()
        torch.cuda.set_per_process_memory_fraction(1.0, device)
        empty_cache()

    with mock.patch.object(torch.cuda, "empty_cache", release):
        try:
            yield
        finally:
            release()


def _blocks(device: str) -> Iterator[torch.Tensor]:
    size = LARGEST
    while size >= SMALLEST:
        try:
            yield torch.empty(size, dtype=torch.uint8, device=device)
        except torch.OutOfMemoryError:
            size //= 2


@contextmanager
def _failing_step(lm: LMModel) -> Iterator[None]:
    """On a CPU, where memory can't be taken like this: the last layer of the next step fails as if it were."""
    layer = lm.transformer.layers[-1]
    forward = layer.forward

    def fail(*arguments: Any, **options: Any) -> None:
        layer.forward = forward
        raise torch.OutOfMemoryError("simulated")

    layer.forward = fail
    try:
        yield
    finally:
        layer.forward = forward
