"""A model that stops writing is noticed and restarted, and one whose context fills up is restarted at a pause."""

import dataclasses
from contextlib import contextmanager

import msgspec
import numpy as np
import pytest
import torch

from inference.engines import registry
from inference.engines.stt.moshi_stt import REFRESH_AT, MoshiStt
from inference.engines.stt.moshi_stt.model import StepResult
from inference.engines.stt.moshi_stt.stream_decoder import StreamDecoder
from inference.executors.thread import ThreadExecutor
from inference.loading.huggingface import CheckpointError
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Endpoint, Marker, Open, Step, Word
from inference.streams import wordless_speech
from tests.inference.test_scheduler import Running
from tests.support.models import checkpoints

pytestmark = pytest.mark.models

NAME = "stt-1b-en_fr"
PRESET = registry.ENGINES[NAME].preset
BEGIN, PAD = 0, 3


def preset_of(folder):
    return msgspec.structs.replace(PRESET, model=str(folder), device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def loaded_engine(stt_checkpoint):
    return MoshiStt(1, preset_of(stt_checkpoint))


@pytest.fixture
def engine(loaded_engine, monkeypatch):
    monkeypatch.setattr(registry, "load", lambda name, slots, report_progress: loaded_engine)
    yield loaded_engine
    loaded_engine.close(0)


@pytest.fixture(scope="module")
def spoken(speech):
    """The first sentences of the recording: int16[n], whole frames."""
    samples = speech.samples(SAMPLE_RATE)[: 6 * SAMPLE_RATE]
    return samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]


def request(position=0, **options):
    return Open("s", "web", 0.0, position, "en", **options)


def frames_of(samples):
    return (samples.astype(np.float32) / 32768).reshape(-1, FRAME_SAMPLES)


def transcribe(engine, frames, position=0):
    """Events of a stream, including what is flushed at its end."""
    engine.close(0)
    engine.open(0, request(position))
    events = [event for frame in frames for event in step(engine, frame)]
    engine.flush(0)
    while engine.draining:
        events += engine.step({})[0]
    return events


def step(engine, frame):
    events = []
    while engine.draining:
        events += engine.step({})[0]
    return events + engine.step({0: frame})[0]


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


# --- A stuck model ----------------------------------------------------------------------------------------------------


@contextmanager
def stuck_until_reopened(engine, monkeypatch):
    """The text head writes padding and the pause heads predict pauses, until the stream is opened for the second time.
    Yields the positions at which it is opened."""
    opened: list[int] = []
    lm = engine._model._lm

    def forced(module, index):
        forward, weight = module.forward, module.weight

        def force(x):
            logits = forward(x)
            if len(opened) == 1:
                logits = torch.zeros_like(logits)
                logits[..., index] = 50.0
            return logits

        assert weight.shape[0] > index
        return force

    open_slot = engine.open
    with monkeypatch.context() as patch:
        patch.setattr(lm.text_linear, "forward", forced(lm.text_linear, PAD))
        for head in lm.extra_heads:
            patch.setattr(head, "forward", forced(head, 0))
        patch.setattr(engine, "open", lambda slot, request: (opened.append(request.position), open_slot(slot, request)))
        yield opened


async def test_a_stuck_model_is_restarted_and_gets_the_missed_speech_again(engine, spoken, monkeypatch):
    monkeypatch.setattr(wordless_speech, "STALLED_AFTER", 2.0)
    with stuck_until_reopened(engine, monkeypatch) as opened:
        async with Running(ThreadExecutor(NAME, 0)) as running:
            running.open("s", position=48_000)
            running.send("s", Audio(spoken.tobytes()), Marker(1))
            await running.listener.until("s", Marker)
    steps, words = running.listener.all("s", Step), running.listener.all("s", Word)
    first, again = opened
    assert first == 48_000
    begins = (again - first) // FRAME_SAMPLES
    assert 0 <= begins < 10  # the recording begins with speech
    assert steps[-1].sample == 48_000 + len(spoken)
    assert [step.sample for step in steps] == sorted(step.sample for step in steps)
    expected = of(transcribe(engine, frames_of(spoken)[begins:], again), Word)
    assert [(word.text, word.start) for word in words] == [(word.text, word.start) for word in expected]
    assert words[0].start < 48_000 / SAMPLE_RATE + 2.0  # in the speech that it had missed


def test_speech_is_detected_by_silero_even_if_the_model_predicts_a_pause(engine, spoken, monkeypatch):
    silence = np.zeros((12, FRAME_SAMPLES), np.float32)
    with stuck_until_reopened(engine, monkeypatch):
        steps = of(transcribe(engine, [*silence, *frames_of(spoken)[:30]]), Step)
    assert max(step.speech for step in steps[:12]) < 0.3
    assert np.mean([step.speech > 0.5 for step in steps[16:]]) > 0.6
    assert all(min(step.pauses) > 0.9 for step in steps)


def test_without_silero_the_model_predicts_voice_activity_and_the_log_says_so(stt_checkpoint, monkeypatch, caplog):
    monkeypatch.setattr("inference.engines.stt.moshi_stt.silero_vad.find_spec", lambda name: None)
    engine = MoshiStt(1, preset_of(stt_checkpoint))
    assert "silero-vad isn't installed" in caplog.text
    (found,) = of(transcribe(engine, np.zeros((1, FRAME_SAMPLES), np.float32)), Step)
    assert found.speech == pytest.approx(1 - found.pauses[0], abs=0.001)


def test_a_model_with_conditioners_is_refused(checkpoints_folder):
    """Without the conditions with which it was trained it would write nonsense."""
    lut = {"n_bins": 4, "dim": 16, "tokenizer": "noop", "possible_values": ["de", "en", "es", "fr"]}
    folder = checkpoints.build_stt(
        checkpoints_folder / "stt-with-conditioners",
        conditioners={"language": {"type": "lut", "lut": lut}},
        fuser={"sum": ["language"], "prepend": [], "cross": []},
    )
    with pytest.raises(CheckpointError, match="language"):
        MoshiStt(1, preset_of(folder))


# --- A context that fills up ------------------------------------------------------------------------------------------


class ScriptedModel:
    """Writes the tokens that the audio contains, with a delay, and predicts pauses perfectly: the first sample of each
    frame is the token, in 32768ths; a frame of zeros is silence."""

    heads = 4

    def __init__(self, context: int) -> None:
        self.context = context
        self.restarts = 0
        self.written = []

    def reset_row(self, row):
        self.restarts += 1
        self._steps = 1 + round(PRESET.silence_prefix * SAMPLE_RATE / FRAME_SAMPLES)
        self._pending = [PAD] * (PRESET.delay - 2)  # step 1 of a model gets no audio

    def move(self, source, target):
        pass

    def used_context(self, row):
        return self._steps / self.context

    def step(self, frames, rows):
        (frame,) = frames.values()
        self._steps += 1
        number = round(float(frame[0]) * 32768)
        self._pending.append(number - 1 if number else PAD)
        return {0: StepResult(self._pending.pop(0), 0.9, [0.1 if number else 0.9] * 4)}


def script(tokenizer, words, pause):
    """Frames of segments of five words, with a pause between them, and the words with their start in frames."""
    frames, expected = [], []
    for number in range(words):
        text = ("hello", "world", "brown", "fox", "dog")[number % 5]
        expected.append((text, len(frames)))
        for token in [BEGIN, *tokenizer.encode(text)]:
            frames.append(np.zeros(FRAME_SAMPLES, np.float32))
            frames[-1][0] = (token + 1) / 32768
        if number % 5 == 4:
            frames += [np.zeros(FRAME_SAMPLES, np.float32)] * pause
    return frames, expected


@pytest.fixture(params=[True, False], ids=["with bursts of silence", "without"])
def scripted(engine, request, monkeypatch):
    """Replaces the model by one with a context of so many frames."""
    monkeypatch.setattr(engine, "_vad", None)  # voice activity is what the heads predict
    config = dataclasses.replace(engine._decoder_config, flushes_on_pause=request.param)
    monkeypatch.setattr(engine, "_decoder_config", config)

    def replace(context):
        model = ScriptedModel(context)
        monkeypatch.setattr(engine, "_model", model)
        return model

    return replace


@pytest.mark.parametrize("pause", [15, 40])
def test_a_context_that_fills_up_is_refreshed_at_pauses_and_times_stay_right(scripted, engine, stt_checkpoint, pause):
    frames, expected = script(checkpoints.checkpoint_info(stt_checkpoint).get_text_tokenizer(), 200, pause)
    assert len(frames) > 100 * SAMPLE_RATE / FRAME_SAMPLES
    model = scripted(context=150)
    events = transcribe(engine, frames, position=48_000)
    starts = [(word.text, round((word.start - 2.0) / 0.08)) for word in of(events, Word)]
    assert [text for text, _ in starts] == [text for text, _ in expected]
    assert [start for _, start in starts] == [start for _, start in expected]
    assert len(of(events, Endpoint)) == 40
    assert model.restarts > 6
    steps = of(events, Step)
    assert [step.sample for step in steps] == [48_000 + FRAME_SAMPLES * (i + 1) for i in range(len(frames))]
    for name in ("final_until", "words_until"):
        values = [getattr(step, name) for step in steps]
        assert values == sorted(values)


def test_without_a_pause_the_context_is_not_refreshed(scripted, engine, stt_checkpoint):
    frames, expected = script(checkpoints.checkpoint_info(stt_checkpoint).get_text_tokenizer(), 100, pause=0)
    model = scripted(context=50)
    assert [word.text for word in of(transcribe(engine, frames), Word)] == [text for text, _ in expected]
    assert model.restarts == 1  # the first


def test_a_context_that_is_not_full_is_not_refreshed(scripted, engine, stt_checkpoint):
    frames, _ = script(checkpoints.checkpoint_info(stt_checkpoint).get_text_tokenizer(), 10, pause=15)
    model = scripted(context=1000)
    transcribe(engine, frames)
    assert model.restarts == 1


def test_after_a_refresh_the_model_writes_what_it_writes_in_a_new_stream(engine, spoken, monkeypatch):
    config = dataclasses.replace(engine._decoder_config, flushes_on_pause=False)
    monkeypatch.setattr(engine, "_decoder_config", config)
    frames, at = frames_of(spoken)[:45], 20
    assert engine._model._lm.context * REFRESH_AT < at
    expected = of(transcribe(engine, frames[at:], position=at * FRAME_SAMPLES), Word)
    engine.close(0)
    may_restart = property(lambda decoder: decoder._processed == at)
    monkeypatch.setattr(StreamDecoder, "may_restart", may_restart)
    engine.open(0, request())
    for frame in frames[:at]:
        step(engine, frame)
    found = []
    for frame in frames[at:]:
        found += step(engine, frame)
    engine.flush(0)
    while engine.draining:
        found += engine.step({})[0]
    assert [(word.text, word.start) for word in of(found, Word)] == [(word.text, word.start) for word in expected]
    assert len(expected) > 2
