"""Settings for tests inside the pytest process: fast, and independent of the developer's environment.

The environment is cleaned here because pytest-django imports the settings before any conftest.
"""

import os
import tempfile
from pathlib import Path

from tests.support.environment import without_own_settings

_folder = tempfile.TemporaryDirectory(prefix="speech-tests-")
_environment = without_own_settings() | {"DATA_DIR": _folder.name}
os.environ.clear()
os.environ.update(_environment)

from dsm_site.settings import *  # noqa: E402, F403
from dsm_site.settings import DATABASES, REST_FRAMEWORK  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A file, because SQLite's shared memory blocks readers during a write, and consumers use the database in threads.
DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder.name, "tests.sqlite3"))}
# Tests share a cache, and the ids of their users.
REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"] |= {"forms": None, "webhooks": None}
LLM_DISCOVER = False
WHITENOISE_AUTOREFRESH = True  # otherwise every client scans all static files before its first request
