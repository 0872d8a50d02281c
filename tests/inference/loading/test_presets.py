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


def test_the_presets_of_the_project_are_valid():
    known = presets.load({})
    assert known["stt-1b-en_fr"].delay == 6
    assert known["stt-1b-en_fr"].endpointing == Endpointing(pause=0.5, guard=True)
    assert list(known["stt-2.6b-en"].languages) == ["en"]


def test_a_file_of_ones_own_adds_presets_and_changes_single_values(tmp_path):
    (tmp_path / "own.toml").write_text(OWN)
    known = presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})
    assert known["mine"].model == "/models/mine"
    assert (known["stt-1b-en_fr"].slots, known["stt-1b-en_fr"].delay) == (12, 6)


def test_the_environment_wins_over_the_file_for_models_of_its_kind():
    environment = {"STT_MODEL": "somebody/model", "STT_REVISION": "abc", "MOSHI_DEVICE": "cpu", "STT_MEMORY_MB": "9000"}
    known = presets.load(environment)
    changed = known["stt-2.6b-en"]
    assert (changed.model, changed.revision, changed.device) == ("somebody/model", "abc", "cpu")
    assert (changed.memory_mb, known["tts-1.6b-en_fr"].memory_mb) == (9000, 0)


def test_a_budget_that_is_no_number_is_said():
    with pytest.raises(presets.InvalidPreset, match="memory_mb"):
        presets.load({"STT_MEMORY_MB": "half"})


def test_what_speaks_has_voices_and_a_quality_that_the_environment_may_choose():
    assert presets.load({})["tts-1.6b-en_fr"].voices == "kyutai/tts-voices"
    changed = presets.load({"TTS_VOICES": "/voices", "TTS_QUALITY": "fast"})
    assert (changed["tts-1.6b-en_fr"].voices, changed["tts-1.6b-en_fr"].quality) == ("/voices", "fast")
    assert changed["stt-1b-en_fr"].voices == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[mine]\nlabel = ", "no valid TOML"),
        ("[stt-1b-en_fr]\ndealy = 6", "“stt-1b-en_fr” is not valid.*dealy"),
        ('[stt-1b-en_fr]\ndtype = "int3"', "Invalid enum value 'int3'"),
        ("[stt-1b-en_fr.endpointing]\npause = 0.7", "0.5, 1, 2, 3 seconds"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, text, said):
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(presets.InvalidPreset, match=said):
        presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})


def test_a_file_that_is_not_there_is_said():
    with pytest.raises(presets.InvalidPreset, match="cannot be read: No such file"):
        presets.load({"PRESETS_FILE": "/nowhere/own.toml"})


def test_whisper_knows_a_hundred_languages_unless_told_others(tmp_path):
    (tmp_path / "own.toml").write_text('[whisper-tiny]\nlanguages = { en = "English" }\nmodel = "/models/tiny.en"\n')
    languages = presets.load({"STT_MODEL": "/models/other"})["whisper-base"].languages
    assert next(iter(languages)) == UNKNOWN_LANGUAGE
    assert len(languages) == 100
    assert languages["de"] == "Deutsch"
    own = presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})["whisper-tiny"]
    assert (own.languages, own.model) == ({"en": "English"}, "/models/tiny.en")
