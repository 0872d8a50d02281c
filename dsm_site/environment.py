"""Sources of the settings: the environment over `.env`, the version, and the generated secret key."""

import contextlib
import os
import secrets
import tempfile
import tomllib
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION: str = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]

env = environ.Env()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))


def generated_secret_key(folder: Path) -> str:
    """The secret key of a site without SECRET_KEY: generated once, stored in `folder`, readable only by its owner."""
    path = folder / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder) as file:  # readable only by its owner
            file.write(secrets.token_urlsafe(64))
            file.flush()
            with contextlib.suppress(FileExistsError):  # another process of the site was first
                os.link(file.name, path)
    return path.read_text()
