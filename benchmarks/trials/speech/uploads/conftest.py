"""The fixtures of the tests of uploads."""

from tests.speech.uploads.conftest import sender, site
