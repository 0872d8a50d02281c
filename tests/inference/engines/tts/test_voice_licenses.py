"""Names of licenses, and which voices the site offers."""

import pytest

from inference.engines.tts.voice_licenses import offered, short_name
from inference.messages import Voice

FREE = Voice("free", "Free", "en", license="CC BY 4.0")
NONCOMMERCIAL = Voice("nc", "NC", "en", license="CC BY-NC-SA 4.0")
UNKNOWN = Voice("unknown", "Unknown", "en")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("CC0", "CC0"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0"),
        ("Public Domain", "Public domain"),
        ("CC BY 4.0", "CC BY 4.0"),
        ("cc-by-sa-4.0", "CC BY-SA 4.0"),
        ("Creative Commons Attribution 4.0 International (CC BY 4.0)", "CC BY 4.0"),
        ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC BY-NC-SA 4.0"),
        ("https://creativecommons.org/licenses/by-nc-nd/3.0/", "CC BY-NC-ND 3.0"),
        ("Free for non-commercial use", "Non-commercial"),
        ("Apache 2.0", "Apache 2.0"),
        ("See URL", ""),
        ("https://www.cstr.ed.ac.uk/projects/blizzard/2013/license.html", ""),
        ("This dataset may be used by anyone who has signed the agreement", ""),
    ],
)
def test_a_license_gets_its_short_name(text, name):
    assert short_name(text) == name


def test_voices_for_noncommercial_use_are_left_out(monkeypatch):
    monkeypatch.delenv("TTS_NONCOMMERCIAL_VOICES", raising=False)
    assert offered([FREE, NONCOMMERCIAL, UNKNOWN]) == [FREE, UNKNOWN]


@pytest.mark.parametrize("value", ["on", "True", "1"])
def test_the_setting_includes_them(monkeypatch, value):
    monkeypatch.setenv("TTS_NONCOMMERCIAL_VOICES", value)
    assert offered([FREE, NONCOMMERCIAL]) == [FREE, NONCOMMERCIAL]


def test_a_voice_is_noncommercial_by_its_license():
    assert NONCOMMERCIAL.is_noncommercial
    assert Voice("other", "Other", "en", license="Non-commercial").is_noncommercial
    assert not FREE.is_noncommercial
    assert not UNKNOWN.is_noncommercial
