"""The site's settings for what is tested inside pytest's own process: nothing of the developer's, and quick.

The site reads its environment when its settings are imported, and pytest-django imports them before any conftest.
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
from dsm_site.settings import DATABASES  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# A file, because SQLite's shared memory has no readers beside a writer and consumers use the database in threads.
DATABASES["default"]["TEST"] = {"NAME": str(Path(_folder.name, "tests.sqlite3"))}
WHITENOISE_AUTOREFRESH = True  # else every client looks through all static files before its first request
