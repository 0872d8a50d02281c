"""An engine that gets stuck: its stream is restarted, and the speech that it missed is transcribed again."""

import asyncio

import pytest

from inference.engines import registry
from inference.messages import (
    BYTES_PER_SAMPLE,
    FRAME_BYTES,
    FRAME_SAMPLES,
    SAMPLE_RATE,
    Audio,
    Endpoint,
    Marker,
    Open,
    Step,
    Word,
)
from inference.observability import metrics
from inference.streams import stt, wordless_speech
from inference.streams.base import BadInput
from inference.streams.index import stream_for
from tests.inference.test_scheduler import Running, inline_executor

STALLED_AFTER = 10 * FRAME_SAMPLES / SAMPLE_RATE
KEPT = 20 * FRAME_SAMPLES / SAMPLE_RATE
ONSET_FRAMES = wordless_speech.ONSET // FRAME_SAMPLES
STALL_FRAMES = 11
"""Frames of speech after which the engine counts as stalled."""


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    monkeypatch.setattr(wordless_speech, "STALLED_AFTER", STALLED_AFTER)
    monkeypatch.setattr(wordless_speech, "KEPT", KEPT)
    monkeypatch.setattr(wordless_speech, "SHORT_SOUND", 3 * FRAME_SAMPLES / SAMPLE_RATE)
    monkeypatch.setattr(wordless_speech, "SHORT_SOUND_OVER", 5 * FRAME_SAMPLES / SAMPLE_RATE)


class NumberedFrames:
    """Writes a word for each frame of speech, whose text is the number that the frame consists of; frames of zeros are
    silence. Everything is final at once. `is_stuck(opened, frames)`: whether it writes nothing, at its n-th start and
    after so many frames."""

    slots = 1

    def __init__(self, is_stuck=lambda opened, frames: False) -> None:
        self.is_stuck = is_stuck
        self.opened_at: list[int] = []  # frames
        self.flushed: list[int] = []  # at which frame

    def open(self, slot, request):
        self.opened_at.append(request.position // FRAME_SAMPLES)
        self.frames = 0

    def step(self, inputs):
        return {slot: self._step(round(frame[0] * 32768)) for slot, frame in inputs.items()}

    def _step(self, number):
        is_stuck = self.is_stuck(len(self.opened_at), self.frames)
        start = self.opened_at[-1] + self.frames
        self.frames += 1
        end = start + 1
        word = Word(str(number), start * 0.08, end * 0.08, 1.0)
        step = Step(end * FRAME_SAMPLES, end * FRAME_SAMPLES, float(number > 0), [], end * FRAME_SAMPLES)
        return [word, Endpoint(word.start, word.end), step] if number and not is_stuck else [step]

    def flush(self, slot):
        self.flushed.append(self.opened_at[-1] + self.frames)
        return []

    def close(self, slot):
        pass


def speech(first: int, last: int) -> bytes:
    """Frames of speech with these numbers."""
    return b"".join(number.to_bytes(2, "little") * FRAME_SAMPLES for number in range(first, last + 1))


def silence(frames: int) -> bytes:
    return bytes(frames * FRAME_BYTES)


async def transcribe(monkeypatch, engine, *messages):
    """Send the messages to a stream, and a marker. Returns the recorded messages."""
    monkeypatch.setattr(registry, "load", lambda name, slots: engine)
    async with Running(inline_executor(1)) as running:
        running.open("s")
        running.send("s", *messages, Marker(1))
        async with asyncio.timeout(20):
            while Marker(1) not in running.listener.all("s", Marker):
                await asyncio.sleep(0.001)
        return running.listener


def numbers(listener) -> list[int]:
    return [int(word.text) for word in listener.all("s", Word)]


def stuck_at_first(after: int):
    """Stuck after so many frames, until it is restarted."""
    return lambda opened, frames: opened == 1 and frames >= after


def stalls(outcome: str) -> float:
    return metrics.STALLS.labels("", outcome)._value.get()


async def test_speech_on_which_the_engine_was_stuck_is_transcribed_after_a_restart(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=5))
    repeated = stalls("repeated")
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 30)))
    assert numbers(listener) == [*range(1, 31)]
    assert engine.opened_at == [0, 5]
    assert stalls("repeated") == repeated + 1
    starts = [round(word.start / 0.08) for word in listener.all("s", Word)]
    assert starts == [*range(30)]


async def test_no_word_is_emitted_twice(monkeypatch):
    """The restart is not before the end of the last word, even if more audio would help it."""
    engine = NumberedFrames(lambda opened, frames: frames >= 7)
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 60)))
    found = numbers(listener)
    assert sorted(set(found)) == found
    assert engine.opened_at[:4] == [0, 7, 14, 21]


async def test_silence_before_the_speech_is_fed_as_far_as_its_recognition_requires(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=0))
    listener = await transcribe(monkeypatch, engine, Audio(silence(9) + speech(1, 20)))
    assert engine.opened_at == [0, 9 - ONSET_FRAMES]
    assert numbers(listener) == [*range(1, 21)]


async def test_positions_that_are_reported_never_go_back(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=5))
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 40)))
    steps = listener.all("s", Step)
    for name in ("sample", "final_until", "words_until"):
        values = [getattr(step, name) for step in steps]
        assert values == sorted(values)
    assert sorted({step.sample for step in steps}) == [FRAME_SAMPLES * (i + 1) for i in range(40)]


async def test_speech_without_words_is_not_final_while_it_may_be_transcribed_again(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=5))
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 40)))
    final_until = 0
    for message in listener.received["s"]:
        if isinstance(message, Step):
            final_until = message.final_until
        elif isinstance(message, Word):
            assert round(message.start * SAMPLE_RATE) >= final_until
    assert final_until == 40 * FRAME_SAMPLES


async def test_speech_that_has_no_words_twice_is_not_repeated_again(monkeypatch, caplog):
    engine = NumberedFrames(lambda opened, frames: True)
    skipped = stalls("skipped")
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 60)))
    assert numbers(listener) == []
    assert engine.opened_at == [0, 0, 11, 22, 33, 44, 55]
    assert stalls("skipped") == skipped + 5
    assert "transcribing the last 1 s again" in caplog.text
    assert "going on without them" in caplog.text
    assert listener.all("s", Step)[-1].final_until == 60 * FRAME_SAMPLES


async def test_after_a_word_missed_speech_is_repeated_again(monkeypatch):
    engine = NumberedFrames(lambda opened, frames: opened <= 3 or (opened == 4 and frames >= 5))
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 60)))
    assert engine.opened_at == [0, 0, 11, 22, 27]
    assert numbers(listener) == [*range(23, 61)]


async def test_speech_in_pauses_adds_up_and_a_bounded_part_is_kept(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=0))
    parts = [speech(1, 4), silence(6), speech(5, 8), silence(6), speech(9, 15)]
    listener = await transcribe(monkeypatch, engine, Audio(b"".join(parts)))
    end = 4 + 6 + 4 + 6 + 3  # the speech until the stall is noticed
    assert engine.opened_at == [0, end - 20]
    assert numbers(listener) == [*range(4, 16)]


async def test_short_sounds_with_silence_after_them_are_no_missed_speech(monkeypatch):
    engine = NumberedFrames(lambda opened, frames: True)
    listener = await transcribe(monkeypatch, engine, *[Audio(speech(1, 2) + silence(7))] * 10)
    assert engine.opened_at == [0]
    assert listener.all("s", Step)[-1].final_until == 90 * FRAME_SAMPLES


async def test_a_marker_waits_until_the_missed_speech_is_transcribed(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=0))
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, STALL_FRAMES)))
    assert engine.opened_at == [0, 0]
    assert engine.flushed[-1] == STALL_FRAMES
    words_and_markers = [message for message in listener.received["s"] if isinstance(message, Word | Marker)]
    assert [type(message) for message in words_and_markers] == [Word] * STALL_FRAMES + [Marker]


async def test_what_a_marker_has_completed_is_not_transcribed_again(monkeypatch):
    engine = NumberedFrames(stuck_at_first(after=0))
    listener = await transcribe(monkeypatch, engine, Audio(speech(1, 6)), Marker(0), Audio(speech(7, 20)))
    assert engine.opened_at == [0, 6]
    assert numbers(listener) == [*range(7, 21)]


def test_audio_to_repeat_does_not_count_as_arriving_too_fast(monkeypatch):
    monkeypatch.setattr(stt, "BACKLOG_BYTES", 15 * FRAME_BYTES)
    stream = stream_for("stt", Open("s", "web", 0.0, 0, "en"))
    for number in range(1, 12):
        stream.receive(Audio(speech(number, number)))
        stream.next_input()
        stream.on_event(Step(number * FRAME_SAMPLES, number * FRAME_SAMPLES, 1.0))
    assert stream.is_stalled
    assert stream.rewind() == pytest.approx(11 * 0.08)
    stream.receive(Audio(speech(12, 26)))
    assert stream.behind == 26
    with pytest.raises(BadInput):
        stream.receive(Audio(speech(27, 27)))


async def test_words_that_come_late_are_no_stall(monkeypatch):
    """An engine that may yet write words for the speech is not stalled."""

    class Slow(NumberedFrames):
        def _step(self, number):
            return [Step(FRAME_SAMPLES * (self.frames + 1), 0, 1.0)]

    engine = Slow()
    await transcribe(monkeypatch, engine, Audio(speech(1, 30)))
    assert engine.opened_at == [0]


async def test_a_stream_keeps_a_bounded_amount_of_audio(monkeypatch):
    monkeypatch.setattr(wordless_speech, "STALLED_AFTER", 1000.0)
    kept = wordless_speech.WordlessSpeech()
    for number in range(200):
        kept.keep(number * FRAME_SAMPLES, bytes(FRAME_BYTES))
        kept.on_step(Step((number + 1) * FRAME_SAMPLES, 0, 1.0))
    assert len(kept.take()) == 20 * FRAME_SAMPLES * BYTES_PER_SAMPLE
