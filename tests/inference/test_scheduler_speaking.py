"""The scheduler with a TTS engine: text in, audio out."""

import asyncio

import pytest

from inference.engines import registry
from inference.engines.testing.tones import WORD_FRAMES, Tones, pcm_of
from inference.executors.inline import InlineExecutor
from inference.executors.subprocess import SubprocessExecutor
from inference.messages import Audio, Close, Closed, Marker, Rejected, Text, Word
from inference.streams import tts
from tests.inference.test_scheduler import Running


@pytest.fixture(params=["inline", "subprocess"])
def executor(request):
    return InlineExecutor("tones", 4) if request.param == "inline" else SubprocessExecutor("tones", 4)


def running(*executors):
    return Running(*executors, kind="tts")


def audio_of(listener, stream_id):
    return b"".join(audio.pcm for audio in listener.all(stream_id, Audio))


async def test_every_stream_speaks_its_own_words_as_they_arrive(executor):
    texts = {"a": ["one two", "three"], "b": ["uno", "due tre"], "c": ["un deux", "trois"]}
    async with running(executor) as it:
        for stream_id in texts:
            assert it.open(stream_id)
        for number in range(2):
            for stream_id, parts in texts.items():
                it.send(stream_id, Text(parts[number]))
            await asyncio.sleep(0.02)
        for stream_id in texts:
            it.send(stream_id, Marker(1))
            await it.listener.until(stream_id, Marker)
        assert {s: audio_of(it.listener, s) for s in texts} == {
            s: pcm_of(" ".join(parts)) for s, parts in texts.items()
        }


async def test_words_have_times():
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s", position=24_000)
        it.send("s", Text("one two"), Marker(1))
        await it.listener.until("s", Marker)
        times = [(word.text, word.start, word.end) for word in it.listener.all("s", Word)]
        assert times == [("one", 1.0, 1.4), ("two", 1.4, pytest.approx(1.8))]


async def test_text_after_a_marker_is_spoken_after_it():
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s")
        it.send("s", Text("one"), Marker(1), Text("two"), Marker(2))
        async with asyncio.timeout(5):
            while len(it.listener.all("s", Marker)) < 2:
                await asyncio.sleep(0.01)
        kinds = [m for m in it.listener.received["s"] if isinstance(m, Word | Marker)]
        assert [getattr(m, "text", None) or m.id for m in kinds] == ["one", 1, "two", 2]


async def test_a_marker_without_text_is_answered():
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s")
        it.send("s", Text(""), Marker(1))
        assert await it.listener.until("s", Marker) == Marker(1)


async def test_a_stream_that_waits_for_text_costs_no_step():
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s")
        it.send("s", Text("one"))
        await it.listener.until("s", Audio)
        await asyncio.sleep(0.1)
        count = len(it.listener.received["s"])
        await asyncio.sleep(0.1)
        assert len(it.listener.received["s"]) == count
        assert len(it.listener.all("s", Audio)) == WORD_FRAMES


async def test_a_barge_in_frees_the_slot_and_leaves_no_audio_to_the_next_stream(executor):
    async with running(executor) as it:
        for number in range(50):
            assert it.open(f"interrupted {number}")
            it.send(f"interrupted {number}", Text("interrupted before its end " * 20))
            if number % 2:
                await it.listener.until(f"interrupted {number}", Audio)
            it.send(f"interrupted {number}", Close())
            await it.all_free()
        it.open("whole")
        it.send("whole", Text("one two"), Marker(1))
        await it.listener.until("whole", Marker)
        assert audio_of(it.listener, "whole") == pcm_of("one two")


async def test_a_stream_that_floods_with_text_loses_its_slot(monkeypatch):
    monkeypatch.setattr(tts, "BACKLOG_CHARACTERS", 100)
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s")
        it.send("s", Text("flood " * 50))
        assert "faster" in (await it.listener.until("s", Closed)).reason
        await it.all_free()


async def test_audio_for_a_tts_engine_closes_the_stream_with_a_reason():
    async with running(InlineExecutor("tones", 1)) as it:
        it.open("s")
        it.send("s", Audio(b"00"))
        assert "text-to-speech" in (await it.listener.until("s", Closed)).reason


async def test_the_voices_of_an_engine_are_known_once_it_is_up(executor):
    async with running(executor) as it:
        assert [voice.name for voice in it.scheduler.voices] == ["high", "low", "bas"]


class RejectingEngine(Tones):
    def step(self, inputs):
        output = super().step(inputs)
        rejected = [Rejected("not this word")]
        return {slot: rejected if "bad" in inputs[slot] else events for slot, events in output.items()}


async def test_a_rejection_closes_its_stream_alone(monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name, slots: RejectingEngine(slots))
    async with running(InlineExecutor("tones", 2)) as it:
        it.open("good")
        it.open("bad")
        it.send("good", Text("one two"))
        it.send("bad", Text("bad"))
        assert (await it.listener.until("bad", Closed)).reason == "not this word"
        it.send("good", Marker(1))
        await it.listener.until("good", Marker)
        assert audio_of(it.listener, "good") == pcm_of("one two")
        assert it.scheduler.free == 1
