import os
import re
import subprocess
import sys

import pytest

from inference.loading import presets
from inference.loading.preset_files import InvalidPreset
from inference.messages import UNKNOWN_LANGUAGE, Endpointing
from tests.support.environment import ROOT

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
    assert loaded["stt-1b-en_fr"].endpointing == Endpointing(pause=1.0, guard=True)
    assert loaded["stt-1b-en_fr"].turn_pause == 0.5
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


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("STT_MEMORY_MB", "half", "expected a number."),
        ("TTS_MEMORY_MB", "-1", "expected a number >= 0"),
        ("TTS_MEMORY_MB", "inf", "memory_mb must be a finite number"),
        ("MOSHI_DTYPE", "int3", "unknown value “int3”. Did you mean “int8”?"),
        ("MOSHI_DEVICE", "gpu", "unknown device “gpu”. Use auto, cuda, cuda:1, mps or cpu."),
        ("TTS_QUALITY", "best", "unknown value “best”. Known are fast, real-time, high, higher, highest."),
    ],
)
def test_an_invalid_variable_is_named(variable, value, reason):
    with pytest.raises(InvalidPreset, match=re.escape(f"{variable} is “{value}”: {reason}")):
        presets.load({variable: value})


def test_a_revision_belongs_to_its_repository(tmp_path):
    """Those of the presets are commits, which another repository doesn't have."""
    built_in = presets.load({})["tts-1.6b-en_fr"]
    assert len(built_in.revision) == 40
    for environment, expected in [
        ({"TTS_MODEL": "owner/model"}, ("main", built_in.voices_revision)),
        ({"TTS_MODEL": "owner/model", "TTS_REVISION": "v1"}, ("v1", built_in.voices_revision)),
        ({"TTS_MODEL": built_in.model}, (built_in.revision, built_in.voices_revision)),
        ({"TTS_REVISION": "v2"}, ("v2", built_in.voices_revision)),
        ({"TTS_VOICES": "owner/voices"}, (built_in.revision, "main")),
        ({"TTS_VOICES": "owner/voices", "TTS_VOICES_REVISION": "v3"}, (built_in.revision, "v3")),
    ]:
        preset = presets.load(environment)["tts-1.6b-en_fr"]
        assert (preset.revision, preset.voices_revision) == expected
    (tmp_path / "own.toml").write_text('[stt-1b-en_fr]\nmodel = "owner/model"\n')
    assert presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})["stt-1b-en_fr"].revision == "main"


def test_the_environment_overrides_voices_and_quality_of_tts_models():
    assert presets.load({})["tts-1.6b-en_fr"].voices == "kyutai/tts-voices"
    changed = presets.load({"TTS_VOICES": "/voices", "TTS_QUALITY": "fast"})
    assert (changed["tts-1.6b-en_fr"].voices, changed["tts-1.6b-en_fr"].quality) == ("/voices", "fast")
    assert changed["stt-1b-en_fr"].voices == ""


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("[stt-1b-en_fr]\n\ndealy = 6", 3, "unknown key “dealy”. Did you mean “delay”?"),
        ("[stt-1b-en_fr]\nx = 6", 2, "unknown key “x”. Known are kind, package, label, "),
        ('[stt-1b-en_fr]\nname = "x"', 2, "unknown key “name”."),
        ("[stt-1b-en_fr.endpointing]\nmin_words = 2\npaus = 1", 3, "unknown key “paus”. Did you mean “pause”?"),
        ('[stt-1b-en_fr]\nslots = 2\ndelay = "6"', 3, "delay: expected a whole number, got a string."),
        ("[stt-1b-en_fr]\nslots = 1.5", 2, "slots: expected a whole number, got a number."),
        ("[stt-1b-en_fr]\nslots = true", 2, "slots: expected a whole number, got true or false."),
        ("[stt-1b-en_fr]\ntranslates = 1", 2, "translates: expected true or false, got a whole number."),
        ("[stt-1b-en_fr]\npackage = []", 2, "package: expected a string."),
        ("[stt-1b-en_fr]\ndtype = 8", 2, "dtype: expected a string, got a whole number."),
        ('[stt-1b-en_fr]\nendpointing = "late"', 2, "endpointing: expected a table, got a string."),
        ('[stt-1b-en_fr]\nlanguages = ["en"]', 2, "languages: expected a table, got a list."),
        ("[stt-1b-en_fr]\nlanguages = { en = 1 }", 2, "languages: expected a string, got a whole number."),
        ("[stt-1b-en_fr]\n[stt-1b-en_fr.languages]", 2, "languages: expected at least one entry."),
        ('[stt-1b-en_fr]\nlabel = ""', 2, "label: expected some text."),
        ("[stt-1b-en_fr]\ndelay = -1", 2, "delay: expected a whole number >= 0."),
        ("[stt-1b-en_fr]\ndelay = 1000", 2, "delay: expected a whole number <= 125."),
        ("[stt-1b-en_fr]\ntemperature = 25", 2, "temperature: expected a number <= 2"),
        ("[stt-1b-en_fr]\nparams_billions = 0", 2, "params_billions: expected a number > 0"),
        ("[stt-1b-en_fr]\nslot_mb = nan", 2, "slot_mb must be a finite number."),
        ('[stt-1b-en_fr]\nkind = "sst"', 2, "kind: unknown value “sst”. Did you mean “stt”?"),
        ('[stt-1b-en_fr]\nkind = "dialogue"', 2, "no engine runs “dialogue” models with the package “moshi”"),
        (
            '[whisper-tiny]\nkind = "tts"',
            2,
            "no engine runs “tts” models with the package “faster-whisper”, only “stt”.",
        ),
        ('[stt-1b-en_fr]\npackage = "moshy"', 2, "unknown package “moshy”. Did you mean “moshi”?"),
        ('[stt-1b-en_fr]\nquality = "hi"', 2, "quality: unknown value “hi”. "),
        ('[stt-1b-en_fr]\ndtype = "int3"', 2, "dtype: unknown value “int3”. Did you mean “int8”?"),
        ('[stt-1b-en_fr]\ndevice = "gpu"', 2, "unknown device “gpu”. Use auto, cuda, cuda:1, mps or cpu."),
        ('[stt-1b-en_fr]\narchitecture = "moshi"', 2, "architecture: unknown value “moshi”. Did you mean “moshi-7b”?"),
        ("\n" + OWN.replace('label = "Mine"', ""), 3, "label missing."),
        ("[stt-1b-en-fr]\nslots = 2", 1, "label, .* To override the built-in preset, name it “stt-1b-en_fr”."),
        ("[stt-1b-en_fr.endpointing]\nguard = true\npause = 0.7", 3, "pause is one of 0.5, 1, 2, 3 seconds."),
        ("[stt-1b-en_fr]\nturn_pause = 0.7", 2, "turn_pause is 0.7. Use 0.5, 1, 2, 3 seconds."),
        ('["stt-2.6b-en"]\nendpointing = { pause = 0.7 }', 2, "pause is one of 0.5, 1, 2, 3 seconds."),
        ("[stt-1b-en_fr]\nendpointing.threshold = 7", 2, "endpointing.threshold: expected a number <= 0.99."),
    ],
)
def test_a_mistake_in_a_presets_file_is_reported_with_file_and_line(tmp_path, text, line, reason):
    (tmp_path / "own.toml").write_text(text)
    pattern = re.escape(f"own.toml, line {line}: ") + ".*" + re.escape(reason).replace(r"\.\*", ".*")
    with pytest.raises(InvalidPreset, match=pattern):
        presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})


def test_a_missing_presets_file_is_reported():
    with pytest.raises(InvalidPreset, match=r"Can't read PRESETS_FILE /nowhere/own\.toml: No such file"):
        presets.load({"PRESETS_FILE": "/nowhere/own.toml"})


def test_whisper_has_a_hundred_languages_by_default(tmp_path):
    (tmp_path / "own.toml").write_text('[whisper-tiny]\nlanguages = { en = "English" }\nmodel = "/models/tiny.en"\n')
    languages = presets.load({"STT_MODEL": "/models/other"})["whisper-base"].languages
    assert next(iter(languages)) == UNKNOWN_LANGUAGE
    assert len(languages) == 100
    assert languages["de"] == "Deutsch"
    own = presets.load({"PRESETS_FILE": str(tmp_path / "own.toml")})["whisper-tiny"]
    assert (own.languages, own.model) == ({"en": "English"}, "/models/tiny.en")


def test_a_command_ends_with_the_message_alone(tmp_path):
    (tmp_path / "own.toml").write_text("[stt-1b-en_fr]\ndealy = 6")
    environment = os.environ | {"PRESETS_FILE": str(tmp_path / "own.toml")}
    command = [sys.executable, "manage.py", "inference"]
    process = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 1
    message = (
        f"Invalid preset “stt-1b-en_fr” in {tmp_path}/own.toml, line 2: unknown key “dealy”. Did you mean “delay”?"
    )
    assert process.stderr.splitlines() == [message]
