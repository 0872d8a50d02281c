"""A slot of the batch says what the moshi package's own loop says alone, whatever happens in the slots beside it."""

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from inference.engines.moshi_tts.voices import VoiceError, Voices, obtain
from tests.inference.moshi_alone import CODEBOOKS, Alone, Codes, Spoken, Together, Wish
from tests.support.checkpoints import VOICES, put_into_hub_cache, write_voice

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
    max_examples=1,
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


def test_text_that_cannot_be_spoken_is_told_and_ends(together: Together) -> None:
    together.open(0, Wish(""))
    together.speak(0, "( ) :")
    assert [word.text for word in together.spoken[0].words] == ["(", ")", ":"]
    assert len(together.spoken[0].pcm) == 0


def steps_with(together: Together, text: str) -> int:
    """How many steps slot 0 makes until it waits for more text."""
    steps = int(bool(together.step({0: text})))
    while together.step():
        steps += 1
    return steps


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
    found = Voices(alone.model, obtain("somebody/voices", ".tiny0000@1.safetensors"), {"en": "English"})
    assert {voice.name for voice in found.listed} == set(VOICES)
    with pytest.raises(VoiceError, match="cannot be downloaded"):
        obtain("somebody/else", ".tiny0000@1.safetensors")
