"""The fixtures of the tests of OpenAI's doors."""

from tests.speech.openai.conftest import access, client
