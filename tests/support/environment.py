"""The site's environment variables, as `.env.example` documents them, and an environment without any of them."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def documented_variables() -> list[str]:
    example = (ROOT / ".env.example").read_text()
    return re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, re.MULTILINE)


def without_own_settings() -> dict[str, str]:
    """This process's environment without any settings of the site."""
    own = {*documented_variables(), "DJANGO_SETTINGS_MODULE"}
    bare = {name: value for name, value in os.environ.items() if name not in own}
    return {**bare, "ENV_FILE": os.devnull}
