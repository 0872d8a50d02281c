"""A slot of the batch matches the moshi package's own loop for a single stream, whatever other slots do."""

import time
from itertools import count, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from inference.engines.tts.moshi_tts.voices import VoiceError, Voices
from inference.loading.huggingface import CheckpointError
from inference.loading.voice_download import download
from inference.messages import SAMPLE_RATE
from tests.support.models.checkpoints import VOICES, put_into_hub_cache, write_voice
from tests.support.models.moshi_alone import CODEBOOKS, Alone, Codes, SpeechOptions, Spoken, Together

pytestmark = pytest.mark.models

SLOTS = 3
HELLO = "hello"
FOX = "the quick brown fox"
DOLLARS = "wait <0.6s> it's (25)"
FRENCH = "la bibliothèque à 12:30"
PAUSE_FIRST = "<0.4s> then a 💡"
TEXTS = (HELLO, FOX, DOLLARS, FRENCH, PAUSE_FIRST)


@pytest.fixture(scope="module")
def alone(tts_checkpoint: Path) -> Alone:
    return Alone(tts_checkpoint)


@pytest.fixture(scope="module")
def engine_of_all(tts_checkpoint: Path) -> Together:
    return Together(tts_checkpoint, SLOTS)


@pytest.fixture
def together(engine_of_all: Together) -> Together:
    """One engine for all tests: a test must not affect the next."""
    for slot in list(engine_of_all.spoken):
        engine_of_all.close(slot)
    return engine_of_all


def assert_same(spoken: Spoken, expected: Codes, is_whole: bool = True) -> None:
    """The engine pads the end a little longer than the package; that apart, all tokens are the same."""
    common = min(len(spoken.codes), len(expected))
    assert spoken.codes[:common] == expected[:common]
    if is_whole:
        assert len(spoken.codes) >= len(expected) > 0


@pytest.mark.parametrize("text", TEXTS)
def test_one_stream_matches_the_package(together: Together, alone: Alone, text: str) -> None:
    options = SpeechOptions(text, voice="chloé")
    together.open(1, options)
    together.speak(1, text)
    assert_same(together.spoken[1], alone.codes(options))


def test_the_audio_matches_the_package(together: Together, alone: Alone) -> None:
    options = SpeechOptions(FOX)
    together.open(0, options)
    together.speak(0, options.text)
    pcm, expected = together.spoken[0].pcm, alone.pcm(options)
    assert np.abs(expected).max() > 0.05
    assert pcm[: len(expected)] / 32767 == pytest.approx(expected, abs=1e-4)


def test_a_seed_gives_the_same_result_as_in_the_package(together: Together, alone: Alone) -> None:
    """A CPU stream equals `torch.manual_seed` and the package's own loop, while other slots draw too."""
    requests = [SpeechOptions(HELLO, seed=seed, temperature=0.8) for seed in (7, 8, 7)]
    for slot, options in enumerate(requests):
        together.open(slot, options)
        together.step({slot: options.text})
        together.flush(slot)
    while together.step():
        pass
    for slot, options in enumerate(requests):
        assert_same(together.spoken[slot], alone.codes(options))
    assert together.spoken[0].codes == together.spoken[2].codes != together.spoken[1].codes


streams = st.lists(
    st.tuples(
        st.builds(
            SpeechOptions,
            text=st.sampled_from((HELLO, DOLLARS, PAUSE_FIRST)),
            voice=st.sampled_from(VOICES),
            cfg=st.sampled_from([1.0, 3.5]),
            seed=st.just(5),
            temperature=st.sampled_from([0.0, 0.7]),
        ),
        st.integers(0, 20),  # steps before its text arrives
        st.integers(1, 4),  # words that arrive at once
        st.one_of(st.none(), st.integers(0, 50)),  # steps after which it is closed
    ),
    min_size=4,
    max_size=5,
)


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(streams=streams, randomness=st.randoms(use_true_random=False))
def test_streams_that_join_wait_and_leave_do_not_affect_each_other(
    engine_of_all: Together, alone: Alone, streams: list[tuple[SpeechOptions, int, int, int | None]], randomness
) -> None:
    together = engine_of_all
    waiting = [(options, wait, words, cut, options.text.split()) for options, wait, words, cut in streams]
    active: dict[int, list] = {}
    while waiting or active:
        for slot in range(SLOTS):
            if waiting and slot not in active:
                active[slot] = [*waiting.pop(0), 0]
                together.open(slot, active[slot][0])
        texts = {}
        for slot, (_, wait, words, _, left, age) in active.items():
            if age >= wait and left and randomness.random() < 0.5:
                texts[slot] = " ".join(left[:words])
                del left[:words]
        idle = {slot for slot in active if slot not in texts and randomness.random() < 0.2}
        stepped = together.step(texts, waiting=idle)
        for slot, stream in list(active.items()):
            options, wait, _, cut, left, _ = stream
            stream[-1] += 1
            if slot in texts and not left:
                together.flush(slot)
            is_cut = cut is not None and stream[-1] >= wait + cut
            if is_cut or (not left and slot not in stepped and not together.has_work(slot)):
                assert_same(together.close(slot), alone.codes(options), is_whole=not is_cut)
                del active[slot]


def test_the_voice_of_a_closed_stream_does_not_affect_the_next(together: Together, alone: Alone) -> None:
    for number in range(SLOTS * len(VOICES)):
        together.open(number % SLOTS, SpeechOptions(FOX, voice=VOICES[number // SLOTS]))
        together.step({number % SLOTS: FOX})
        together.close(number % SLOTS)
    options = SpeechOptions(FRENCH, voice="stories/bruno")
    together.open(1, options)
    together.speak(1, options.text)
    assert_same(together.spoken[1], alone.codes(options))


def test_nan_affects_neither_other_slots_nor_the_next_stream(together: Together, alone: Alone) -> None:
    healthy, poisoned = SpeechOptions(FOX), SpeechOptions(HELLO, voice="chloé")
    together.open(0, healthy)
    together.open(1, poisoned)
    together.step({0: healthy.text, 1: poisoned.text})
    together.flush(0)
    together.flush(1)
    for _ in range(15):
        together.step()
    poison(together, slot=1)
    while together.step():
        pass
    assert np.isfinite(together.spoken[1].pcm).all()
    assert_same(together.spoken[0], alone.codes(healthy))
    together.close(1)
    together.open(1, poisoned)
    together.speak(1, poisoned.text)
    assert_same(together.spoken[1], alone.codes(poisoned))


def poison(together: Together, slot: int) -> None:
    """Put NaNs into all state of the slot."""
    model = together.engine._model
    for module in (model.lm, model.mimi):
        for state in module.get_streaming_state().values():
            for name in ("previous", "partial"):
                if isinstance(tensor := getattr(state, name, None), torch.Tensor):
                    tensor[slot] = torch.nan
            if (cache := getattr(state, "kv_cache", None)) is not None:
                cache.cache[:, slot] = torch.nan


def test_only_the_requested_codebooks_are_computed(together: Together) -> None:
    assert together.engine._model.lm.dep_q == CODEBOOKS
    together.open(0, SpeechOptions(HELLO))
    together.speak(0, HELLO)
    assert {len(codes) for codes in together.spoken[0].codes} == {CODEBOOKS}


def test_words_are_reported_unchanged_and_before_their_audio(together: Together) -> None:
    text = "« hello » (at) 12:30 : it’s time <0.5s> , bye ( )"
    together.open(0, SpeechOptions(text))
    together.step({0: text})
    together.flush(0)
    while together.step():
        spoken = together.spoken[0]
        emitted = len(spoken.pcm) / SAMPLE_RATE
        assert all(word.start >= emitted - 0.08 for word in spoken.words[len(spoken.words) - 1 :]) or emitted > 2
    words = together.spoken[0].words
    assert [word.text for word in words] == [word for word in text.split() if word != "<0.5s>"]
    assert all(word.start <= word.end for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert words[-1].end <= len(together.spoken[0].pcm) / SAMPLE_RATE


def test_unspeakable_text_is_reported_and_ends(together: Together) -> None:
    together.open(0, SpeechOptions(""))
    together.speak(0, "( ) :")
    assert [word.text for word in together.spoken[0].words] == ["(", ")", ":"]
    assert len(together.spoken[0].pcm) == 0


def test_the_engine_waits_until_it_has_the_words_that_the_model_may_take(together: Together, alone: Alone) -> None:
    options = SpeechOptions("one two three four")
    together.open(0, options)
    assert not together.step({0: ""})
    steps = [steps_with(together, word) for word in ("one", "two", "three")]
    assert steps[0] == 2  # the silence before the first word
    assert steps[1] == 0
    assert steps[2] > 2
    together.speak(0, "four")
    assert_same(together.spoken[0], alone.codes(options))


def steps_with(together: Together, text: str) -> int:
    """Number of steps of slot 0 until it waits for more text."""
    steps = int(bool(together.step({0: text})))
    while together.step():
        steps += 1
    return steps


def test_after_a_flush_a_new_segment_starts_where_the_audio_ended(together: Together, alone: Alone) -> None:
    first, second = SpeechOptions(HELLO), SpeechOptions(FOX)
    together.open(0, first)
    together.speak(0, first.text)
    codes, together.spoken[0].codes = together.spoken[0].codes, []
    end, words = len(together.spoken[0].pcm) / SAMPLE_RATE, len(together.spoken[0].words)
    together.speak(0, second.text)
    assert codes[: len(alone.codes(first))] == alone.codes(first)
    assert_same(together.spoken[0], alone.codes(second))
    assert together.spoken[0].words[words].start == pytest.approx(end, abs=0.001)


@pytest.mark.parametrize(("clock", "frames"), [("late", 4), ("still", 0)])
def test_a_starting_stream_does_not_delay_one_that_speaks_in_real_time(
    clock: str, frames: int, together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At least one of three steps is for all slots, unless the speaking stream is well ahead of playback."""
    now = count(step=10) if clock == "late" else repeat(0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    together.open(0, SpeechOptions(FOX))
    together.step({0: FOX})
    together.flush(0)
    for _ in range(25):
        together.step()
    together.open(1, SpeechOptions(FOX))
    before = len(together.spoken[0].codes)
    together.step({1: FOX})
    together.flush(1)
    for _ in range(11):
        together.step()
    assert len(together.spoken[0].codes) - before == frames


LANGUAGES = {"en": "English", "fr": "Français"}


def test_voices_are_found_in_folders_with_the_default_first(alone: Alone, tmp_path: Path) -> None:
    write_voice(tmp_path, "cml-tts/fr/10087_11650.wav", seed=1)
    write_voice(tmp_path, "own/ada_low.wav", seed=2)
    (tmp_path / "own" / "ada_low.wav").write_bytes(b"the recording itself")
    voices = Voices(alone.model, tmp_path, LANGUAGES, "own/ada_low.wav").listed
    assert [(voice.name, voice.label, voice.language, voice.kind) for voice in voices] == [
        ("own/ada_low.wav", "ada low", "en", "own"),
        ("cml-tts/fr/10087_11650.wav", "speaker 10087", "fr", "CML-TTS"),
    ]


def test_voices_for_noncommercial_use_are_not_offered(
    alone: Alone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_voice(tmp_path, "expresso/ex03_happy.wav", seed=1)
    with pytest.raises(VoiceError, match=r"All 1 voices .* are for non-commercial use only"):
        Voices(alone.model, tmp_path, LANGUAGES)
    write_voice(tmp_path, "own/ada.wav", seed=2)
    voices = Voices(alone.model, tmp_path, LANGUAGES, "expresso/ex03_happy.wav")
    assert [voice.name for voice in voices.listed] == ["own/ada.wav"]
    with pytest.raises(VoiceError, match="not found"):
        voices.attributes("expresso/ex03_happy.wav", 1.0)
    monkeypatch.setenv("TTS_NONCOMMERCIAL_VOICES", "on")
    voices = Voices(alone.model, tmp_path, LANGUAGES, "expresso/ex03_happy.wav")
    assert [voice.license for voice in voices.listed] == ["CC BY-NC 4.0", ""]


@pytest.fixture
def bad_voices(tmp_path: Path) -> Path:
    write_voice(tmp_path, "a valid one", seed=0)
    write_voice(tmp_path, "not a voice", seed=0).write_bytes(b"RIFF, a recording")
    other = {"speaker_wavs": torch.zeros(1, 8, 25)}
    save_file(other, write_voice(tmp_path, "of another model", seed=0))
    save_file({"something": torch.zeros(1)}, write_voice(tmp_path, "something else", seed=0))
    save_file({"speaker_wavs": torch.full((1, 16, 25), torch.nan)}, write_voice(tmp_path, "damaged", seed=0))
    return tmp_path


REJECTIONS = {
    "unknown": "Voice “unknown” not found",
    "../../etc/passwd": "not found",
    "not a voice": "isn't a voice file: ",
    "something else": "isn't a voice file: ",
    "of another model": "belongs to another model",
    "damaged": "corrupt",
}


def test_an_invalid_voice_is_rejected_and_affects_no_other_stream(tts_checkpoint: Path, bad_voices: Path) -> None:
    together = Together(tts_checkpoint, slots=1, voices=bad_voices)
    for voice, reason in REJECTIONS.items():
        together.open(0, SpeechOptions(HELLO, voice=voice))
        together.step({0: HELLO})
        assert reason in together.close(0).rejection
    together.open(0, SpeechOptions(HELLO, voice="a valid one"))
    together.speak(0, HELLO)
    assert together.spoken[0].pcm.any()


def test_a_folder_without_voices_is_reported(alone: Alone, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match=r"No voices for this model in .*tiny0000@1\.safetensors"):
        Voices(alone.model, tmp_path, {"en": "English"})


def test_voices_are_read_from_the_hub_cache(
    alone: Alone, tts_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    put_into_hub_cache(tts_checkpoint / "voices", tmp_path, "user/voices")
    found = Voices(alone.model, download("user/voices", "main", lambda _: True), {"en": "English"})
    assert {voice.name for voice in found.listed} == set(VOICES)
    with pytest.raises(CheckpointError, match="isn't in the cache"):
        download("user/other", "main", lambda _: True)
