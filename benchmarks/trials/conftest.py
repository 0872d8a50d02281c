"""The trials ask for what the tests ask for."""

from tests.conftest import *  # noqa: F403
from tests.conftest import _postgres_for_models, _postgres_server, _redis_server
