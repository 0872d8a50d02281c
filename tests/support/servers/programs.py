"""Programs that tests use, and how to install missing ones."""

import shutil
from collections.abc import Iterable
from glob import glob

import pytest


def find(names: Iterable[str], hint: str) -> str:
    """Path of the first of `names` (or glob patterns) that exists; otherwise the test is skipped."""
    names = list(names)
    for name in names:
        if path := shutil.which(name) or max(glob(name), default=""):
            return path
    pytest.skip(f"{names[0]} is not installed. {hint}")


def redis_server() -> str:
    return find(["redis-server"], "Debian: sudo apt-get install redis-server; macOS: brew install redis")


def postgres() -> str:
    """Path of postgres. Debian installs it outside the PATH, in one folder per version."""
    names = ["postgres", "/usr/lib/postgresql/*/bin/postgres"]
    return find(names, "Debian: sudo apt-get install postgresql; macOS: brew install postgresql")


def ffmpeg() -> str:
    return find(["ffmpeg"], "Debian: sudo apt-get install ffmpeg; macOS: brew install ffmpeg")


def nginx() -> str:
    """Path of nginx. Debian installs it in /usr/sbin, which is not in every user's PATH."""
    return find(["nginx", "/usr/sbin/nginx"], "Debian: sudo apt-get install nginx; macOS: brew install nginx")


def chromium() -> str:
    names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ]
    return find(names, "Debian: sudo apt-get install chromium; macOS: brew install --cask chromium")


def node() -> str:
    return find(["node"], "Debian: sudo apt-get install nodejs; macOS: brew install node")


def npm() -> str:
    return find(["npm"], "Debian: sudo apt-get install npm; macOS: brew install node")
