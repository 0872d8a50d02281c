import pytest

from inference.loading import presets
from inference.messages import UNKNOWN_LANGUAGE, Endpointing

OWN = """
[mine]
kind = "stt"
label = "Mine"
languages = { de = "Deutsch" }
model = "/models/mine"
params_billions = 0.5
slot_mb = 50
download_mb = 0

[stt-1b-en_fr]
slots = 12
"""


def test_the_built_in_presets_are_valid():
    loaded = presets.load({})
    assert loaded["stt-1b-en_fr"].delay == 6
    assert loaded["stt-1b-en_fr"].endpointing == Endpointing(pause=0.5, guard=True)
    assert list(loaded["stt-2.6b-en"].languages) == ["en"]


def test_a_presets_file_adds_presets_and_overrides_single_values(tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    loaded = presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})
    assert loaded["mine"].model == "/models/mine"
    assert (loaded["stt-1b-en_fr"].slots, loaded["stt-1b-en_fr"].delay) == (12, 6)


def test_the_environment_overrides_the_file_for_models_of_its_kind():
    environment = {"STT_MODEL": "owner/model", "STT_REVISION": "abc", "MOSHI_DEVICE": "cpu", "STT_MEMORY_MB": "9000"}
    loaded = presets.load(environment)
    changed = loaded["stt-2.6b-en"]
    assert (changed.model, changed.revision, changed.device) == ("owner/model", "abc", "cpu")
    assert (changed.memory_mb, loaded["tts-1.6b-en_fr"].memory_mb) == (9000, 0)


def test_a_memory_limit_that_is_not_a_number_is_reported():
    with pytest.raises(presets.InvalidPreset, match="memory_mb"):
        presets.load({"STT_MEMORY_MB": "half"})


def test_the_environment_overrides_voices_and_quality_of_tts_models():
    assert presets.load({})["tts-1.6b-en_fr"].voices == "kyutai/tts-voices"
    changed = presets.load({"TTS_VOICES": "/voices", "TTS_QUALITY": "fast"})
    assert (changed["tts-1.6b-en_fr"].voices, changed["tts-1.6b-en_fr"].quality) == ("/voices", "fast")
    assert changed["stt-1b-en_fr"].voices == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[mine]\nlabel = ", "isn't valid TOML"),
        ("[stt-1b-en_fr]\ndealy = 6", "Invalid preset “stt-1b-en_fr”.*dealy"),
        ('[stt-1b-en_fr]\ndtype = "int3"', "Invalid enum value 'int3'"),
        ("[stt-1b-en_fr.endpointing]\npause = 0.7", "0.5, 1, 2, 3 seconds"),
    ],
)
def test_an_error_in_a_presets_file_is_reported(tmp_path, text, message):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(presets.InvalidPreset, match=message):
        presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})


def test_a_missing_presets_file_is_reported():
    with pytest.raises(presets.InvalidPreset, match=r"Can't read PRESETS_FILE /nowhere/own\.toml: No such file"):
        presets.load({"PRESETS_FILE": "/nowhere/own.toml"})


def test_whisper_has_a_hundred_languages_by_default(tmp_path):
    (tmp_path / "own.toml").write_text('[whisper-tiny]\nlanguages = { en = "English" }\nmodel = "/models/tiny.en"\n')
    languages = presets.load({"STT_MODEL": "/models/other"})["whisper-base"].languages
    assert next(iter(languages)) == UNKNOWN_LANGUAGE
    assert len(languages) == 100
    assert languages["de"] == "Deutsch"
    own = presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})["whisper-tiny"]
    assert (own.languages, own.model) == ({"en": "English"}, "/models/tiny.en")
