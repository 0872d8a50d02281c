"""The settings that name language models."""

import pytest

from speech.llm.model_file import configured_models

SECRET = "key-51b5c495"


def models(file="", environment=None, url="", model="", api_key=""):
    return configured_models(url, model, api_key, str(file), environment or {})


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "models.toml"
        path.write_text(text)
        return path

    return write


def test_without_settings_there_is_no_model():
    assert models() == []


def test_one_model_needs_only_a_url():
    (info,) = models(url="http://localhost:11434")
    assert (info.name, info.url, info.model, info.label) == ("default", "http://localhost:11434/v1", "", "")


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://localhost:8080/v1", True),
        ("http://127.0.0.2:8080/v1", True),
        ("http://[::1]:8080/v1", True),
        ("http://host.docker.internal:11434/v1", True),
        ("http://192.168.1.5:8080/v1", False),
        ("https://localhost.example.org/v1", False),
    ],
)
def test_only_a_model_on_this_machine_speculates(url, is_local):
    (info,) = models(url=url)
    assert (info.is_local, info.speculates) == (is_local, is_local)


def test_a_file_lists_several(write):
    file = write(
        """
        [small]
        url = "http://gpu.example.org:8000/v1/"
        model = "llama"
        speculates = true
        context_tokens = 8000

        [large]
        label = "Large"
        url = "https://api.example.org/openai/v1"
        api_key_env = "EXAMPLE_KEY"
        temperature = 1
        [large.extra_body]
        reasoning_effort = "low"
        """
    )
    first, small, large = models(file, {"EXAMPLE_KEY": SECRET}, url="http://localhost", model="x", api_key="y")
    assert (first.name, first.label, first.api_key) == ("default", "x", "y")
    assert (small.name, small.label, small.url) == ("small", "llama", "http://gpu.example.org:8000/v1")
    assert (small.speculates, small.is_local, small.context_tokens) == (True, False, 8000)
    assert (large.label, large.api_key, large.temperature) == ("Large", SECRET, 1)
    assert large.extra_body == {"reasoning_effort": "low"}


def test_a_key_is_not_in_the_representation(write):
    (info,) = models(url="http://localhost", api_key=SECRET)
    assert SECRET not in repr(info)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[small", "not valid TOML"),
        ("[small]", r"\[small\]: url is missing"),
        ("small = 1", "is a table"),
        ("[demo]\nurl = 'http://localhost'", "isn't “demo”"),
        ("['a b']\nurl = 'http://localhost'", "letters, digits"),
        ("[small]\nurl = 'localhost:8080'", "is not a URL"),
        ("[small]\nurl = 'http://user:pass@localhost'", "must not have a user"),
        ("[small]\nurl = 5", "url has the wrong type: int"),
        ("[small]\nurl = 'http://localhost'\ntemprature = 1", "unknown field “temprature”"),
        ("[small]\nurl = 'http://localhost'\nmax_tokens = true", "max_tokens has the wrong type: bool"),
        ("[small]\nurl = 'http://localhost'\nmax_tokens = 0", "at least 1"),
        ("[small]\nurl = 'http://localhost'\napi_key_env = 'MISSING'", "variable MISSING"),
        ("[small]\nurl = 'http://localhost'\napi_key = 'a'\napi_key_env = 'A'", "not both"),
        ("[default]\nurl = 'http://localhost'", "“default” is used already"),
    ],
)
def test_errors_in_the_file_have_clear_texts(write, text, message):
    with pytest.raises(ValueError, match=message):
        models(write(text), url="http://localhost")


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ValueError, match=r"can't be read: No such file"):
        models(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "settings", [{"model": "x"}, {"api_key": SECRET}, {"url": "nowhere"}, {"url": "http://localhost", "api_key": "a b"}]
)
def test_errors_in_settings_name_them_but_no_key(settings):
    with pytest.raises(ValueError, match="LLM_URL") as raised:
        models(**settings)
    assert SECRET not in str(raised.value)
