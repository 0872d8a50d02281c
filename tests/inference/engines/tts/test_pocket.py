"""Streams that take turns on a small Pocket TTS model: each has the audio that the package makes of its text alone."""

from pathlib import Path

import numpy as np
import pytest
from pocket_tts import TTSModel
from pocket_tts.utils.utils import _ORIGINS_OF_PREDEFINED_VOICES

from inference.engine import EngineUnusable
from inference.engines import registry
from inference.engines.tts.kyutai_voices import POCKET_LICENSES, license_of
from inference.engines.tts.pocket import _sources, load
from inference.loading.presets import Preset
from inference.messages import FRAME_SAMPLES, SAMPLE_RATE, Audio, Open, Step, Word
from tests.support.models.pocket import AT_ONCE, TINY, build

pytestmark = pytest.mark.models

TEXT = "the quick brown fox jumps."
OTHER = "hello world, a small test."


def preset(config: Path, **changes: object) -> Preset:
    values = {
        "name": "pocket-tiny",
        "kind": "tts",
        "package": "pocket-tts",
        "label": "Tiny",
        "languages": {"en": "English"},
        "model": str(config),
        "voices": str(config.with_name("voices")),
        "params_billions": 0.001,
        "slot_mb": 1,
        "download_mb": 1,
        "dtype": "float32",
    }
    return Preset(**{**values, **changes})


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return build(tmp_path_factory.mktemp("pocket"), voices=("ada", "bruno"))


@pytest.fixture(scope="module")
def engine(config):
    return load(2, preset(config))


def open_slot(engine, slot, voice="ada", position=0):
    engine.open(slot, Open(f"{slot}", "", 0.0, position, "en", voice=voice, controls={"variation": 0.0}))


def speak(engine, texts, voices=("ada", "ada"), position=0):
    """Speak all texts concurrently; returns the events by slot."""
    for slot, voice in zip(texts, voices, strict=False):
        open_slot(engine, slot, voice, position)
    output = engine.step(texts)
    events = {slot: list(output.get(slot, [])) for slot in texts}
    for slot in texts:
        engine.flush(slot)
    speaking = set(texts)
    while speaking:
        output = engine.step(dict.fromkeys(speaking, ""))
        speaking = set(output)
        for slot, more in output.items():
            events[slot] += more
    for slot in texts:
        engine.close(slot)
    return events


def samples(events):
    pcm = b"".join(event.pcm for event in events if isinstance(event, Audio))
    return np.frombuffer(pcm, "<i2")


def test_a_stream_matches_the_package(engine, config):
    model = TTSModel.load_model(config=config, temp=0.0)
    state = model.get_state_for_audio_prompt(config.with_name("voices") / "ada.safetensors")
    expected = model.generate_audio(state, TEXT).numpy()
    spoken = samples(speak(engine, {0: TEXT})[0])
    assert len(expected) > SAMPLE_RATE
    assert np.ptp(spoken) > 100
    assert len(spoken) == len(expected)
    assert np.abs(spoken / 32767 - np.clip(expected, -1, 1)).max() < 1e-3


def test_two_streams_take_turns_without_affecting_each_other(engine):
    alone = [samples(speak(engine, {0: text}, [voice])[0]) for text, voice in ((TEXT, "ada"), (OTHER, "bruno"))]
    together = speak(engine, {0: TEXT, 1: OTHER}, ["ada", "bruno"])
    assert [samples(together[slot]).tolist() for slot in (0, 1)] == [each.tolist() for each in alone]


def test_a_frame_is_emitted_as_soon_as_it_is_rendered(engine):
    open_slot(engine, 0)
    engine.step({0: TEXT})
    engine.step({0: ""})
    events = engine.step({0: ""})[0]
    assert [type(event) for event in events] == [Audio, Step]
    engine.close(0)


def test_each_word_has_its_time_before_its_audio_ends(engine):
    events = speak(engine, {0: f"{TEXT} {OTHER}"}, position=SAMPLE_RATE)[0]
    words = [event for event in events if isinstance(event, Word)]
    assert [word.text for word in words] == f"{TEXT} {OTHER}".split()
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert 1 <= words[0].start < words[-1].end <= 1 + len(samples(events)) / SAMPLE_RATE
    last_word = max(number for number, event in enumerate(events) if isinstance(event, Word))
    assert any(isinstance(event, Audio) for event in events[last_word:])


def test_a_closed_stream_does_not_affect_the_next(engine):
    before = samples(speak(engine, {0: OTHER})[0])
    open_slot(engine, 0)
    for _ in range(5):
        engine.step({0: TEXT})
    engine.close(0)
    assert samples(speak(engine, {0: OTHER})[0]).tolist() == before.tolist()


def test_a_stream_ends_when_the_model_signals_the_end(tmp_path):
    engine = load(1, preset(build(tmp_path, ends=AT_ONCE)))
    frames = len(samples(speak(engine, {0: TEXT})[0])) // FRAME_SAMPLES
    assert 6 <= frames < 12


@pytest.mark.filterwarnings("ignore:torch.ao.quantization")
def test_int8_weights_give_nearly_the_same_audio(engine, config):
    """int8 is the default of the presets: it takes three quarters of the time."""
    exact = samples(speak(engine, {0: TEXT})[0])
    spoken = samples(speak(load(1, preset(config, dtype="auto")), {0: TEXT})[0])
    assert len(spoken) == len(exact)
    assert not np.array_equal(spoken, exact)
    assert np.corrcoef(spoken, exact)[0, 1] > 0.5


def test_text_without_speakable_characters_is_silent(tmp_path):
    engine = load(1, preset(build(tmp_path, {**TINY, "replace_characters": {"«": "", "»": ""}}, ends=AT_ONCE)))
    events = speak(engine, {0: "« »"})[0]
    assert [event.text for event in events if isinstance(event, Word)] == ["«", "»"]
    assert len(samples(events)) == 0
    assert len(samples(speak(engine, {0: "« oui »"})[0])) > 0


def test_an_unreadable_voice_is_skipped(tmp_path, caplog):
    config = build(tmp_path, ends=AT_ONCE)
    (tmp_path / "voices" / "broken.safetensors").write_bytes(b"no voice")
    engine = load(1, preset(config))
    assert [voice.name for voice in engine.voices] == ["ada"]
    assert "broken" in caplog.text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"voices": "unknown"}, "has no voices"),
        ({"model": "klingon"}, "klingon"),
        ({"model": "/nowhere/config.yaml"}, "/nowhere/config.yaml"),
    ],
)
def test_missing_files_are_reported(config, changes, message):
    with pytest.raises(EngineUnusable, match=message):
        load(1, preset(config, **changes))


def test_a_failed_download_is_reported(config, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EngineUnusable, match="Check the network"):
        load(1, preset(config, model="english", voices="alba"))


def test_each_language_is_an_engine():
    engines = [engine for name, engine in registry.ENGINES.items() if name.startswith("pocket-tts-")]
    assert {next(iter(engine.languages)) for engine in engines} == {
        "en",
        "fr",
        "de",
        "es",
        "it",
        "pt",
        "nl",
    }


def test_the_packages_voices_have_the_licenses_of_their_recordings() -> None:
    """Those that the package makes from recordings in kyutai/tts-voices."""
    prefix = "hf://kyutai/tts-voices/"
    origins = {
        name: origin.removeprefix(prefix).partition("@")[0]
        for name, origin in _ORIGINS_OF_PREDEFINED_VOICES.items()
        if origin.startswith(prefix)
    }
    assert {name: license_of(origin) for name, origin in origins.items()} == {
        name: POCKET_LICENSES[name] for name in origins
    }


def test_voices_for_noncommercial_use_are_not_offered(config: Path) -> None:
    listed = preset(config, voices="jean cosette")
    assert [voice.license for voice in _sources(listed)] == ["CC BY-NC 4.0"] * 2
    with pytest.raises(EngineUnusable, match="are non-commercial only"):
        load(1, listed)
