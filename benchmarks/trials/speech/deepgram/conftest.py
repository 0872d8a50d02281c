"""The fixtures of the tests of Deepgram's doors."""

from tests.speech.deepgram.conftest import access, client
