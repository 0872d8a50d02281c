"""Language, label and license of each of the voices that Kyutai published, by the names of their files."""

from collections import Counter

import pytest

from inference.engines.tts.kyutai_voices import COLLECTIONS, POCKET_LICENSES, describe
from inference.loading import presets
from tests.support.environment import ROOT

PRESET = presets.load({})["tts-1.6b-en_fr"]
SUFFIX = ".1e68beda@240.safetensors"
NAMES = [
    line.removesuffix(SUFFIX)
    for line in (ROOT / "tests/support/models/released/tts-voices.txt").read_text().splitlines()
    if line.endswith(SUFFIX)
]


def listed(name, languages=PRESET.languages):
    assert name in NAMES
    return describe(name, languages)


def test_every_published_voice_but_one_has_a_license():
    voices = [describe(name, PRESET.languages) for name in NAMES]
    assert [voice.name for voice in voices if not voice.license] == ["unmute-prod-website/degaulle-2.wav"]
    assert Counter(voice.is_noncommercial for voice in voices) == {False: 327, True: 257}
    assert Counter(voice.license for voice in voices) == {
        "CC0": 178,
        "CC BY 4.0": 147,
        "CC BY 3.0": 1,
        "CC BY-NC 4.0": 257,
        "": 1,
    }


def test_the_default_voice_is_free_and_published():
    assert listed(PRESET.default_voice).license == "CC0"


@pytest.mark.parametrize(
    ("name", "voice_license"),
    [
        ("expresso/ex03-ex01_happy_001_channel1_334s.wav", "CC BY-NC 4.0"),
        ("unmute-prod-website/ex04_narration_longform_00001.wav", "CC BY-NC 4.0"),
        ("unmute-prod-website/p329_022.wav", "CC BY 4.0"),
        ("cml-tts/fr/10087_11650_000028-0002.wav", "CC BY 4.0"),
        ("voice-donations/Andrea.wav", "CC0"),
    ],
)
def test_a_license_is_that_of_the_folder_or_of_the_voice(name, voice_license):
    assert listed(name).license == voice_license


def test_later_versions_of_a_recording_have_its_license():
    assert describe("unmute-prod-website/ex04_narration_longform_00001_enhanced.wav", {"en": ""}).is_noncommercial
    assert describe("vctk/p228_023_enhanced.wav", {"en": ""}).label == "p228 enhanced"


def test_voices_of_others_have_no_license():
    assert describe("stories/bruno", {"en": "English"}).license == ""


def test_french_voices_are_listed_as_french():
    french = [name for name in NAMES if describe(name, PRESET.languages).language == "fr"]
    assert [name for name in french if not name.startswith("cml-tts/fr/")] == [
        "unmute-prod-website/degaulle-2.wav",
        "unmute-prod-website/developpeuse-3.wav",
        "unmute-prod-website/fabieng-enhanced-v2.wav",
    ]
    assert len(french) == 38


def test_a_voice_recorded_in_another_language_is_listed_in_the_main_one():
    """It speaks the languages of the model."""
    voice = listed("voice-donations/Andrea_(Spanish).wav")
    assert (voice.label, voice.language, voice.description) == ("Andrea (Spanish)", "en", "Recorded in Spanish")
    french = listed("unmute-prod-website/developpeuse-3.wav", {"en": "English"})
    assert (french.language, french.description) == ("en", "Recorded in French")
    assert describe("own/Ana_(Spanish)", {"en": "English", "es": "Español"}).language == "es"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("alba-mackenna/a-moment-by.wav", "a-moment-by"),
        ("cml-tts/fr/10087_11650_000028-0002.wav", "speaker 10087"),
        ("ears/p031/emo_sadness_freeform.wav", "p031 sadness"),
        ("ears/p003/freeform_speech_01.wav", "p003"),
        ("expresso/ex03-ex02_sad-sympathetic_001_channel2_400s.wav", "ex02 sad-sympathetic (400 s)"),
        ("unmute-prod-website/default_voice.wav", "default voice"),
        ("unmute-prod-website/developer-1.mp3", "developer-1"),
        ("unmute-prod-website/freesound/440565_why-is-there-educationwav.mp3", "why-is-there-education"),
        ("vctk/p245_023.wav", "p245"),
        ("voice-donations/Muhtasim's_Voice.wav", "Muhtasim's Voice"),
    ],
)
def test_labels_are_readable(name, label):
    assert listed(name).label == label


def test_voices_of_a_collection_have_different_labels():
    voices = [describe(name, PRESET.languages) for name in NAMES]
    assert {voice.kind for voice in voices} == set(COLLECTIONS.values()) - {"Voice-Zero"}  # of later revisions
    assert len({(voice.kind, voice.label) for voice in voices}) == len(NAMES)
    assert not [voice.label for voice in voices if "_" in voice.label or voice.label.endswith(("wav", "mp3"))]


def test_the_presets_voices_of_pocket_tts_have_licenses_if_known():
    voices = [
        name for each in presets.load({}).values() if each.package == "pocket-tts" for name in each.voices.split()
    ]
    assert [name for name in voices if name not in POCKET_LICENSES] == ["juergen", "rafael"]
