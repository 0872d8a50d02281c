"""Kyutai's engines when they fail, run by the scheduler as on a site: what can be loaded again is, from the same files,
and gives the same results as before."""

import asyncio
import logging
import weakref
from dataclasses import replace
from itertools import count

import msgspec
import pytest
import torch

from inference import scheduler
from inference.engines import registry
from inference.executors.thread import ThreadExecutor
from inference.loading.device import DoesNotFit
from inference.messages import Audio, Close, Closed, Event, Marker, Step, Text, Word
from inference.observability.recent_errors import class_of
from inference.worker import why_unusable
from tests.inference.engines.stt.test_moshi_stt import speech_like
from tests.inference.test_scheduler import Running
from tests.support.models.moshi_alone import SpeechOptions

pytestmark = pytest.mark.models

STT, TTS = "stt-1b-en_fr", "tts-1.6b-en_fr"
SPEECH = Audio(speech_like(20, seed=1))


class Loads:
    """Loads engines, small ones in place of the originals."""

    def __init__(self) -> None:
        self.count = 0
        self.newest = lambda: None
        """A weak reference to the engine loaded last."""
        self.overlap = 0
        """The number of engines that were still in memory when the next one was loaded."""

    def load(self, *args):
        self.overlap += self.newest() is not None
        self.count += 1
        engine = _load(*args)
        self.newest = weakref.ref(engine)
        return engine

    def break_later(self, error: type[BaseException], message: str) -> None:
        """Raise the error in the last layer of the newest engine, at its sixth step from now."""
        model, steps = self.newest()._model, count(1)
        layer = (model._lm if hasattr(model, "_lm") else model.lm).transformer.layers[-1]
        forward = layer.forward

        def broken(*args, **options):
            if next(steps) == 6:
                raise error(message)
            return forward(*args, **options)

        layer.forward = broken


_load = registry.load


@pytest.fixture
def loads(monkeypatch, stt_checkpoint, tts_checkpoint):
    for name, folder in ((STT, stt_checkpoint), (TTS, tts_checkpoint)):
        info = registry.ENGINES[name]
        preset = msgspec.structs.replace(
            info.preset, model=str(folder), voices=str(folder / "voices"), device="cpu", dtype="float32", quality="fast"
        )
        monkeypatch.setitem(registry.ENGINES, name, replace(info, preset=preset))
    loads = Loads()
    monkeypatch.setattr(registry, "load", loads.load)
    return loads


def running(name: str) -> Running:
    return Running(ThreadExecutor(name, 2), kind=registry.ENGINES[name].kind)


def begin(running: Running, name: str, stream: str) -> None:
    """Open a stream and send all its input."""
    request = msgspec.structs.replace(SpeechOptions("", voice="").request, stream=stream)
    assert running.scheduler.open(request)
    running._seqs[stream] = count()
    running.send(stream, SPEECH if name == STT else Text("hello world"), Marker(1))


async def process(running: Running, name: str, stream: str) -> list[Event]:
    """The words and the audio of a stream."""
    begin(running, name, stream)
    await running.listener.until(stream, Marker)
    running.send(stream, Close())
    await running.all_free()
    return [event for event in running.listener.received[stream] if isinstance(event, Word | Audio)]


@pytest.fixture
def log():
    """The class and the text of what the scheduler logs. pytest itself would keep the errors, and so the engine."""
    lines: list[tuple[str, str]] = []

    def record_text(record: logging.LogRecord) -> bool:
        lines.append((class_of(record), record.getMessage()))
        return False

    scheduler.logger.addFilter(record_text)
    yield lines
    scheduler.logger.removeFilter(record_text)


@pytest.mark.parametrize(
    ("name", "error", "error_class"),
    [(STT, RuntimeError, "initialization"), (TTS, RuntimeError, "initialization"), (TTS, MemoryError, "memory")],
)
async def test_a_lost_engine_is_loaded_again(loads, log, name, error, error_class):
    """Also if the host's memory runs out; if the device's does, the newest streams are evicted."""
    async with running(name) as it:
        before = await process(it, name, "before")
        loads.break_later(error, "a failed step")
        begin(it, name, "first")
        begin(it, name, "second")
        for stream in ("first", "second"):
            assert (await it.listener.until(stream, Closed)).reason == "the engine was lost"
        async with asyncio.timeout(30):
            while it.scheduler.free != 2:
                await asyncio.sleep(0.01)
        assert await process(it, name, "after") == before
    assert before
    assert (loads.count, loads.overlap) == (2, 0)
    (lost,) = [line for line in log if "engine lost" in line[1]]
    assert lost[0] == error_class
    assert "a failed step" in lost[1]


@pytest.mark.parametrize("name", [STT, TTS])
async def test_memory_that_runs_out_evicts_the_newest_stream(loads, log, name):
    async with running(name) as it:
        before = await process(it, name, "before")
        begin(it, name, "first")
        await it.listener.until("first", Step)
        loads.break_later(torch.OutOfMemoryError, "a failed step")
        begin(it, name, "second")
        assert (await it.listener.until("second", Closed)).reason == "the engine is out of memory"
        await it.listener.until("first", Marker)
        it.send("first", Close())
        async with asyncio.timeout(30):
            while it.scheduler.free != 1:  # the slot of the evicted stream isn't used again
                await asyncio.sleep(0.01)
        if name == TTS:
            assert [event for event in it.listener.received["first"] if isinstance(event, Word | Audio)] == before
    assert loads.count == 1
    assert not [line for line in log if "engine lost" in line[1]]


@pytest.mark.parametrize("name", [STT, TTS])
async def test_a_failed_gpu_ends_the_process(loads, name):
    """Whatever it computes afterwards fails too, and only a new process can use it again."""
    async with running(name) as it:
        loads.break_later(RuntimeError, "CUDA error: an illegal memory access was encountered")
        begin(it, name, "first")
        await asyncio.wait([it._task], timeout=30)
        (reason,) = why_unusable(it._task.exception())
    assert f"{name}: the GPU failed: CUDA error" in reason
    assert "Restart this process" in reason


@pytest.mark.parametrize(
    ("name", "last_phase"),
    [
        (STT, "inference.engines.stt.moshi_stt.model.Model.warm_up"),
        (TTS, "inference.engines.tts.moshi_tts.batch.Batch._warm_up"),
    ],
)
def test_too_little_memory_while_loading_is_reported(loads, monkeypatch, name, last_phase):
    def run_out_of_memory(*_):
        raise torch.OutOfMemoryError("no memory")

    monkeypatch.setattr(last_phase, run_out_of_memory)
    with pytest.raises(DoesNotFit, match=r"with 2 slots ran out of memory on CPU.* while loading: no memory"):
        registry.load(name, 2, print)
