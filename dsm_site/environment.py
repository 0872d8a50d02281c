"""Where the settings come from: the environment over `.env`, and what the installation itself tells."""

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
    """The key of a site whose operator set none: made once and kept in `folder`, readable by its owner only."""
    path = folder / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder) as made:  # readable by its owner only
            made.write(secrets.token_urlsafe(64))
            made.flush()
            with contextlib.suppress(FileExistsError):  # another process of the site was first
                os.link(made.name, path)
    return path.read_text()
