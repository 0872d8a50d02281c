"""The engine as the scheduler runs it, in a thread: slots, bursts of silence, memory, voice activity."""

import asyncio
from itertools import count

import msgspec
import numpy as np
import pytest
import torch

from inference.engines import registry
from inference.engines.stt import moshi_stt
from inference.engines.stt.moshi_stt import MoshiStt
from inference.executors.thread import ThreadExecutor
from inference.messages import Audio, Close, Closed, Endpoint, Endpointing, Marker, Open, Step, Word
from inference.observability.recent_errors import class_of
from inference.scheduler import Scheduler
from tests.inference.test_scheduler import Running

pytestmark = pytest.mark.models

NAME = "stt-1b-en_fr"


def speech_like(frames: int, seed: int) -> bytes:
    """Noise as loud as speech: s16le, 24 kHz."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(frames * 1920) * 8000).clip(-32768, 32767).astype("<i2").tobytes()


def preset_of(folder, **changes):
    return msgspec.structs.replace(registry.ENGINES[NAME].preset, model=str(folder), device="cpu", **changes)


def request(stream="s", position=0, **options):
    return Open(stream, "web", 0.0, position, "en", **options)


@pytest.fixture(scope="module")
def loaded_engine(stt_checkpoint):
    return MoshiStt(3, preset_of(stt_checkpoint, dtype="float32"))


@pytest.fixture
def engine(loaded_engine):
    yield loaded_engine
    for slot in range(3):
        loaded_engine.close(slot)


@pytest.fixture
def in_thread(engine, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name, slots, report_progress: engine)
    return ThreadExecutor(NAME, 0)


def test_steps_longer_than_a_frame_are_reported_as_a_performance_error(stt_checkpoint, monkeypatch, caplog):
    monkeypatch.setattr(moshi_stt, "FRAME_SECONDS", 0.0)
    MoshiStt(1, preset_of(stt_checkpoint, dtype="float32"))
    (record,) = [record for record in caplog.records if "longer than an 80 ms frame" in record.getMessage()]
    assert (record.levelname, class_of(record)) == ("WARNING", "performance")


def texts(words):
    return [(word.text, word.start, word.end) for word in words]


async def test_concurrent_streams_have_the_words_that_they_have_alone(in_thread):
    speeches = {f"s{i}": speech_like(20 + 8 * i, seed=i) for i in range(3)}
    alone = {}
    async with Running(in_thread) as running:
        for stream, pcm in speeches.items():
            alone[stream] = await _words_of(running, {stream: pcm})
        together = await _words_of(running, {f"{stream}+": pcm for stream, pcm in speeches.items()})
    assert {stream: found[stream] for stream, found in alone.items()} == {
        stream.rstrip("+"): found for stream, found in together.items()
    }
    assert all(len(found[stream]) > 2 for stream, found in alone.items())


async def _words_of(running, speeches):
    for number, (stream, pcm) in enumerate(speeches.items()):
        running.open(stream)
        size = 1920 * (3 + number)
        running.send(stream, *(Audio(pcm[i : i + size]) for i in range(0, len(pcm), size)), Marker(1))
    for stream in speeches:
        await running.listener.until(stream, Marker)
        assert isinstance(running.listener.received[stream][-1], Marker)
        running.send(stream, Close())
    await running.all_free()
    return {stream: texts(running.listener.all(stream, Word)) for stream in speeches}


async def test_each_sent_frame_gives_one_step_regardless_of_flushing(in_thread):
    async with Running(in_thread) as running:
        running.open("s", position=48_000)
        running.send("s", Audio(speech_like(25, seed=1)), Marker(1))
        await running.listener.until("s", Marker)
        steps = running.listener.all("s", Step)
        assert [step.sample for step in steps] == [48_000 + 1920 * i for i in range(1, 26)]
        assert all(len(step.pauses) == 4 and 0 <= step.speech <= 1 for step in steps)


async def test_a_stream_continues_after_a_marker(in_thread):
    async with Running(in_thread) as running:
        running.open("s")
        for marker in (1, 2):
            running.send("s", Audio(speech_like(25, seed=marker)), Marker(marker))
        async with asyncio.timeout(60):
            while len(running.listener.all("s", Marker)) < 2:
                await asyncio.sleep(0.01)
        words = running.listener.all("s", Word)
        starts = [word.start for word in words]
        assert starts == sorted(starts)
        assert words[-1].end <= 4.0


async def test_slots_are_known_once_the_engine_has_started(in_thread):
    scheduler = Scheduler([in_thread], lambda *_: None)
    assert scheduler.slots == 0
    async with Running(in_thread) as running:
        assert (running.scheduler.slots, running.scheduler.free) == (3, 3)


async def test_out_of_memory_evicts_the_newest_stream_and_the_others_continue(in_thread, engine, monkeypatch):
    monkeypatch.setattr(
        "inference.scheduler.IDLE_TIMEOUT", 60.0
    )  # the streams send nothing while their audio is processed
    old, new = speech_like(40, seed=7), speech_like(40, seed=8)
    async with Running(in_thread) as running:
        half = len(old) // 2
        for stream, audio in (("old", old), ("new", new)):
            running.open(stream)
            running.send(stream, Audio(audio[:half]))
            await _until_processed(running, stream, half)
        _run_out_of_memory_once(engine, monkeypatch)
        running.send("old", Audio(old[half:]), Marker(1))
        running.send("new", Audio(new[half:]))
        assert "memory" in (await running.listener.until("new", Closed)).reason
        await running.listener.until("old", Marker)
        assert [step.sample for step in running.listener.all("old", Step)] == [1920 * i for i in range(1, 41)]
        assert running.listener.all("old", Word)[-1].end > 2.0
        async with asyncio.timeout(30):
            while running.scheduler.free != 1:  # the evicted slot stays closed
                await asyncio.sleep(0.01)


def test_the_only_stream_is_evicted_if_it_does_not_fit(engine, monkeypatch):
    frame = np.zeros(1920, np.float32)
    engine.open(0, request())
    monkeypatch.setattr(engine._model._lm.transformer.layers[-1], "forward", _run_out_of_memory)
    (closed,) = engine.step({0: frame})[0]
    assert isinstance(closed, Closed)
    monkeypatch.undo()
    engine.open(1, request())
    assert isinstance(engine.step({1: frame})[1][-1], Step)


def _run_out_of_memory(*_, **__):
    raise torch.OutOfMemoryError("no memory")


async def _until_processed(running, stream, size):
    async with asyncio.timeout(50):
        while not any(step.sample * 2 == size for step in running.listener.all(stream, Step)):
            await asyncio.sleep(0.01)


def _run_out_of_memory_once(engine, monkeypatch):
    """Raise in the last layer of the language model, after Mimi has processed the frame."""
    last, times = engine._model._lm.transformer.layers[-1], count()
    forward = last.forward

    def once(*args, **options):
        if next(times) == 0:
            raise torch.OutOfMemoryError("no memory")
        return forward(*args, **options)

    monkeypatch.setattr(last, "forward", once)


def test_a_model_without_heads_uses_silero(stt_checkpoint_without_heads, speech):
    engine = MoshiStt(1, preset_of(stt_checkpoint_without_heads, dtype="float32"))
    engine.open(0, request(endpointing=None))
    pcm = speech.samples(24_000)[: 6 * 24_000].astype(np.float32) / 32768
    steps = _steps(engine, np.concatenate((np.zeros(24_000, np.float32), pcm, np.zeros(96_000, np.float32))))
    assert max(step.speech for step in steps[:12]) < 0.3
    assert np.mean([step.speech > 0.5 for step in steps[15:80]]) > 0.6
    assert max(step.speech for step in steps[-12:]) < 0.3
    assert engine._vad.pauses(0)[:3] == [1.0, 1.0, 1.0]
    assert all(step.pauses == [] for step in steps)


def _steps(engine, audio):
    events = []
    for start in range(0, len(audio) - 1919, 1920):
        while engine.draining:
            events += engine.step({})[0]
        events += engine.step({0: audio[start : start + 1920]})[0]
    return [event for event in events if isinstance(event, Step)]


@pytest.mark.parametrize("dtype", ["auto", "bfloat16"], ids=["int8, by default", "bfloat16"])
def test_the_engine_runs_on_a_cpu_in_each_precision(dtype, stt_checkpoint):
    engine = MoshiStt(1, preset_of(stt_checkpoint, dtype=dtype))
    engine.open(0, request())
    audio = np.frombuffer(speech_like(40, seed=2), "<i2").astype(np.float32) / 32768
    assert len(_steps(engine, audio)) == 40


@pytest.mark.parametrize(
    ("options", "pause"),
    [
        ({}, 1.0),
        ({"awaits_turns": True}, 0.5),
        ({"awaits_turns": True, "endpointing": Endpointing(pause=3.0)}, 3.0),
        ({"endpointing": Endpointing()}, 0.5),
    ],
    ids=["transcript", "turns", "turns and a request", "a request"],
)
def test_the_required_pause_depends_on_the_use_and_on_the_request(engine, options, pause):
    engine.open(0, request(**options))
    assert engine._decoders[0]._endpoints._options.pause == pause


def test_requested_endpointing_reaches_the_stream(engine):
    engine.open(0, request(endpointing=msgspec.structs.replace(engine._endpointing, max_turn=2.0, pause=3.0)))
    audio = np.frombuffer(speech_like(80, seed=2), "<i2").astype(np.float32) / 32768
    frames = [audio[start : start + 1920] for start in range(0, len(audio), 1920)]
    assert any(isinstance(event, Endpoint) for frame in frames for event in engine.step({0: frame})[0])
