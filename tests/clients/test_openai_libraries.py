"""Programs that call OpenAI's API through a library of their own."""

import pytest

from tests.clients.conftest import SENTENCE
from tests.support.clients.third_party import Client, installed_apart, is_installed_apart, run

pytestmark = pytest.mark.slow

LITELLM = Client("LiteLLM", "PyPI: litellm", "OpenAI", installed_apart("litellm"))
LANGCHAIN = Client("LangChain", "PyPI: langchain-community", "OpenAI", installed_apart("langchain-community"))
HOME_ASSISTANT = Client(
    "Home Assistant, through Wyoming-OpenAI", "PyPI: wyoming-openai", "OpenAI", installed_apart("wyoming-openai")
)


def litellm(*arguments):
    return run("litellm_calls.py", *arguments, LITELLM_LOCAL_MODEL_COST_MAP="True")  # otherwise it asks GitHub


@pytest.mark.client(LITELLM, "recordings")
def test_litellm_transcribes(transcribes):
    transcribes(lambda url, token, recording: litellm(url, token, recording, ""))


@pytest.mark.client(LITELLM, "synthesis")
def test_litellm_speaks(speaks):
    speaks(lambda url, token, speech: litellm(url, token, "", speech))


@pytest.mark.client(LANGCHAIN, "recordings")
def test_langchain_loads_a_recording_as_documents(transcribes):
    def load(*arguments):
        return run("langchain_parser.py", *arguments).replace("Transcribing part 1!", "")

    transcribes(load)


def home_assistant(*arguments):
    if not is_installed_apart("wyoming-openai"):
        pytest.skip(
            "wyoming-openai is not installed: it requires Python 3.12. Install that, remove .venv/clients, repeat."
        )
    return run("home_assistant.py", *arguments)


@pytest.mark.client(HOME_ASSISTANT, "recordings")
def test_home_assistant_transcribes(transcribes):
    transcribes(home_assistant)


@pytest.mark.client(HOME_ASSISTANT, "synthesis")
def test_home_assistant_speaks(speaks):
    speaks(lambda url, token, speech: home_assistant(url, token, speech, SENTENCE))
