"""A slot of the batch says what the moshi package's own loop says alone, whatever happens in the slots beside it."""

import time
from itertools import count, repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from inference.engines.tts.moshi_tts.voices import VoiceError, Voices, download
from inference.messages import SAMPLE_RATE
from tests.support.models.checkpoints import VOICES, put_into_hub_cache, write_voice
from tests.support.models.moshi_alone import CODEBOOKS, Alone, Codes, Spoken, Together, Wish

pytestmark = pytest.mark.slow

SLOTS = 3
HELLO = "hello"
FOX = "the quick brown fox jumps"
DOLLARS = "wait <0.8s> it's (25) dollars"
FRENCH = "où est la bibliothèque à 12:30"
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
    """One engine for all tests: what the one leaves behind, the next must not hear."""
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
def test_one_stream_says_what_the_package_says(together: Together, alone: Alone, text: str) -> None:
    wish = Wish(text, voice="chloé")
    together.open(1, wish)
    together.speak(1, text)
    assert_same(together.spoken[1], alone.codes(wish))


def test_the_audio_is_the_package_s(together: Together, alone: Alone) -> None:
    wish = Wish(FOX)
    together.open(0, wish)
    together.speak(0, wish.text)
    pcm, expected = together.spoken[0].pcm, alone.pcm(wish)
    assert np.abs(expected).max() > 0.05
    assert pcm[: len(expected)] / 32767 == pytest.approx(expected, abs=1e-4)


def test_a_seed_is_the_package_s_seed(together: Together, alone: Alone) -> None:
    """On the CPU: what `torch.manual_seed` and the package's own loop give, with neighbours that draw too."""
    wishes = [Wish(FOX, seed=seed, temperature=0.8) for seed in (7, 8, 7)]
    for slot, wish in enumerate(wishes):
        together.open(slot, wish)
        together.step({slot: wish.text})
        together.flush(slot)
    while together.step():
        pass
    for slot, wish in enumerate(wishes):
        assert_same(together.spoken[slot], alone.codes(wish))
    assert together.spoken[0].codes == together.spoken[2].codes != together.spoken[1].codes


streams = st.lists(
    st.tuples(
        st.builds(
            Wish,
            text=st.sampled_from(TEXTS),
            voice=st.sampled_from(VOICES),
            cfg=st.sampled_from([1.0, 3.5]),
            seed=st.just(5),
            temperature=st.sampled_from([0.0, 0.7]),
        ),
        st.integers(0, 20),  # steps before it comes
        st.integers(1, 4),  # words that come at once
        st.one_of(st.none(), st.integers(0, 50)),  # steps after which it is cut off
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
def test_streams_that_join_wait_and_leave_change_nothing_for_each_other(
    engine_of_all: Together, alone: Alone, streams: list[tuple[Wish, int, int, int | None]], randomness
) -> None:
    together = engine_of_all
    coming = [(wish, wait, words, cut, wish.text.split()) for wish, wait, words, cut in streams]
    here: dict[int, list] = {}
    while coming or here:
        for slot in range(SLOTS):
            if coming and slot not in here:
                here[slot] = [*coming.pop(0), 0]
                together.open(slot, here[slot][0])
        texts = {}
        for slot, (_, wait, words, _, left, age) in here.items():
            if age >= wait and left and randomness.random() < 0.5:
                texts[slot] = " ".join(left[:words])
                del left[:words]
        told = together.step(texts, waiting={slot for slot in here if slot not in texts and randomness.random() < 0.2})
        for slot, stream in list(here.items()):
            wish, wait, _, cut, left, _ = stream
            stream[-1] += 1
            if slot in texts and not left:
                together.flush(slot)
            is_cut = cut is not None and stream[-1] >= wait + cut
            if is_cut or (not left and slot not in told and not together.has_work(slot)):
                assert_same(together.close(slot), alone.codes(wish), is_whole=not is_cut)
                del here[slot]


def test_a_voice_that_was_cut_off_is_not_heard_in_the_next(together: Together, alone: Alone) -> None:
    for number in range(50):
        together.open(number % SLOTS, Wish(FOX, voice=VOICES[number % 3]))
        together.step({number % SLOTS: FOX})
        together.close(number % SLOTS)
    wish = Wish(FRENCH, voice="stories/bruno")
    together.open(1, wish)
    together.speak(1, wish.text)
    assert_same(together.spoken[1], alone.codes(wish))


def test_numbers_that_are_none_harm_no_neighbour_and_no_successor(together: Together, alone: Alone) -> None:
    calm, sick = Wish(FOX), Wish(DOLLARS, voice="chloé")
    together.open(0, calm)
    together.open(1, sick)
    together.step({0: calm.text, 1: sick.text})
    together.flush(0)
    together.flush(1)
    for _ in range(20):
        together.step()
    poison(together, slot=1)
    while together.step():
        pass
    assert np.isfinite(together.spoken[1].pcm).all()
    assert_same(together.spoken[0], alone.codes(calm))
    together.close(1)
    together.open(1, sick)
    together.speak(1, sick.text)
    assert_same(together.spoken[1], alone.codes(sick))


def poison(together: Together, slot: int) -> None:
    """Put NaNs wherever the slot's past is kept."""
    model = together.engine._model
    for module in (model.lm, model.mimi):
        for state in module.get_streaming_state().values():
            for name in ("previous", "partial"):
                if isinstance(tensor := getattr(state, name, None), torch.Tensor):
                    tensor[slot] = torch.nan
            if (cache := getattr(state, "kv_cache", None)) is not None:
                cache.cache[:, slot] = torch.nan


def test_only_the_codebooks_asked_for_are_computed(together: Together) -> None:
    assert together.engine._model.lm.dep_q == CODEBOOKS
    together.open(0, Wish(HELLO))
    together.speak(0, HELLO)
    assert {len(codes) for codes in together.spoken[0].codes} == {CODEBOOKS}


# --- Words and turns --------------------------------------------------------------------------------------------------


def test_every_word_is_told_as_it_was_given_and_before_it_is_heard(together: Together) -> None:
    text = "« hello » (at) 12:30 : it’s time <0.5s> , bye ( )"
    together.open(0, Wish(text))
    heard = 0
    together.step({0: text})
    together.flush(0)
    while together.step():
        spoken = together.spoken[0]
        heard = len(spoken.pcm) / SAMPLE_RATE
        assert all(word.start >= heard - 0.08 for word in spoken.words[len(spoken.words) - 1 :]) or heard > 2
    words = together.spoken[0].words
    assert [word.text for word in words] == [word for word in text.split() if word != "<0.5s>"]
    assert all(word.start <= word.end for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert words[-1].end <= len(together.spoken[0].pcm) / SAMPLE_RATE


def test_text_that_cannot_be_spoken_is_told_and_ends(together: Together) -> None:
    together.open(0, Wish(""))
    together.speak(0, "( ) :")
    assert [word.text for word in together.spoken[0].words] == ["(", ")", ":"]
    assert len(together.spoken[0].pcm) == 0


def test_it_goes_on_only_while_the_words_are_there_that_it_may_ask_for(together: Together, alone: Alone) -> None:
    wish = Wish("one two three four")
    together.open(0, wish)
    assert not together.step({0: ""})
    steps = [steps_with(together, word) for word in ("one", "two", "three")]
    assert steps[0] == 2  # the silence before the first word
    assert steps[1] == 0
    assert steps[2] > 2
    together.speak(0, "four")
    assert_same(together.spoken[0], alone.codes(wish))


def steps_with(together: Together, text: str) -> int:
    """How many steps slot 0 makes until it waits for more text."""
    steps = int(bool(together.step({0: text})))
    while together.step():
        steps += 1
    return steps


def test_after_a_flush_it_begins_afresh_where_the_audio_ended(together: Together, alone: Alone) -> None:
    first, second = Wish(HELLO), Wish(FOX)
    together.open(0, first)
    together.speak(0, first.text)
    codes, together.spoken[0].codes = together.spoken[0].codes, []
    ended, words = len(together.spoken[0].pcm) / SAMPLE_RATE, len(together.spoken[0].words)
    together.speak(0, second.text)
    assert codes[: len(alone.codes(first))] == alone.codes(first)
    assert_same(together.spoken[0], alone.codes(second))
    assert together.spoken[0].words[words].start == pytest.approx(ended, abs=0.001)


@pytest.mark.parametrize(("clock", "frames"), [("late", 4), ("still", 0)])
def test_who_begins_does_not_hold_up_who_speaks_in_real_time(
    clock: str, frames: int, together: Together, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three steps at least one is everybody's, unless whoever speaks is well ahead of their listener."""
    now = count(step=10) if clock == "late" else repeat(0)
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    together.open(0, Wish(FOX))
    together.step({0: FOX})
    together.flush(0)
    for _ in range(25):
        together.step()
    together.open(1, Wish(FOX))
    before = len(together.spoken[0].codes)
    together.step({1: FOX})
    together.flush(1)
    for _ in range(11):
        together.step()
    assert len(together.spoken[0].codes) - before == frames


# --- Voices -----------------------------------------------------------------------------------------------------------


def test_voices_are_found_in_folders_the_default_first(alone: Alone, tmp_path: Path) -> None:
    write_voice(tmp_path, "cml-tts/fr/10087_11650.wav", seed=1)
    write_voice(tmp_path, "expresso/ex03_happy.wav", seed=2)
    (tmp_path / "expresso" / "ex03_happy.wav").write_bytes(b"the recording itself")
    voices = Voices(alone.model, tmp_path, {"en": "English", "fr": "Français"}, "expresso/ex03_happy.wav").listed
    assert [(voice.name, voice.label, voice.language, voice.kind) for voice in voices] == [
        ("expresso/ex03_happy.wav", "ex03 happy", "en", "expresso"),
        ("cml-tts/fr/10087_11650.wav", "10087 11650", "fr", "cml-tts"),
    ]


@pytest.fixture
def bad_voices(tmp_path: Path) -> Path:
    write_voice(tmp_path, "a good one", seed=0)
    write_voice(tmp_path, "not a voice", seed=0).write_bytes(b"RIFF, a recording")
    other = {"speaker_wavs": torch.zeros(1, 8, 25)}
    save_file(other, write_voice(tmp_path, "of another model", seed=0))
    save_file({"something": torch.zeros(1)}, write_voice(tmp_path, "something else", seed=0))
    save_file({"speaker_wavs": torch.full((1, 16, 25), torch.nan)}, write_voice(tmp_path, "damaged", seed=0))
    return tmp_path


REFUSALS = {
    "nobody": "no voice “nobody”",
    "../../etc/passwd": "no voice",
    "not a voice": "is no voice: ",
    "something else": "is no voice: ",
    "of another model": "for another model",
    "damaged": "damaged",
}


def test_a_voice_that_is_none_is_refused_in_words_and_harms_nobody(tts_checkpoint: Path, bad_voices: Path) -> None:
    together = Together(tts_checkpoint, slots=1, voices=bad_voices)
    for voice, reason in REFUSALS.items():
        together.open(0, Wish(HELLO, voice=voice))
        together.step({0: HELLO})
        assert reason in together.close(0).refusal
    together.open(0, Wish(HELLO, voice="a good one"))
    together.speak(0, HELLO)
    assert together.spoken[0].pcm.any()


def test_a_folder_without_voices_is_said_to_be_one(alone: Alone, tmp_path: Path) -> None:
    with pytest.raises(VoiceError, match=r"no voices for this model in .*tiny0000@1\.safetensors"):
        Voices(alone.model, tmp_path, {"en": "English"})


def test_voices_come_from_the_hub_s_cache(
    alone: Alone, tts_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    put_into_hub_cache(tts_checkpoint / "voices", tmp_path, "somebody/voices")
    found = Voices(alone.model, download("somebody/voices", ".tiny0000@1.safetensors"), {"en": "English"})
    assert {voice.name for voice in found.listed} == set(VOICES)
    with pytest.raises(VoiceError, match="cannot be downloaded"):
        download("somebody/else", ".tiny0000@1.safetensors")
