"""Languages as clients of other services write them."""

import pytest

from inference.loading.whisper_languages import LANGUAGES
from inference.messages import UNKNOWN_LANGUAGE
from speech.text.languages import NAMES, asks_for_detection, name_of, tags_of


@pytest.mark.parametrize(
    ("language", "tags"),
    [
        ("EN", ["en"]),
        ("en_US", ["en-us", "en"]),
        ("English", ["en"]),
        ("zh_Hans_CN", ["zh-hans-cn", "zh-hans", "zh"]),
        ("Haitian Creole", ["ht"]),
        ("nb-NO", ["nb-no", "nb", "no"]),
        ("", [""]),
    ],
)
def test_tags(language, tags):
    assert tags_of(language) == tags


def test_every_language_of_whisper_has_the_name_that_openai_reports():
    assert LANGUAGES.keys() - {UNKNOWN_LANGUAGE} <= NAMES.keys()
    assert [name_of(code) for code in ("en", "pt-BR", "yue", "und")] == ["english", "portuguese", "cantonese", "und"]


def test_values_that_ask_for_detection():
    assert [asks_for_detection(value) for value in ("auto", "AUTO", "en", "")] == [True, True, False, False]
