"""Requests to every URL of the site."""

from django.http import HttpResponseBase
from django.test import Client
from django.urls import resolve

from tests.accounts.site_urls import SiteURL, all_urls
from tests.permissions.objects import DELETED, SAMPLE
from tests.permissions.rules import OTHER_APPS
from tests.support.servers.databases import rolled_back

SITE = [url for url in all_urls() if not url.name.startswith(OTHER_APPS)]
EXTENSIONS = {"transcript": "txt", "api_session_export": "srt", "api_session_audio": "wav"}


def path_of(url: SiteURL) -> str:
    if url.name == "session_restore":
        return url.path.replace(str(SAMPLE), str(DELETED))
    return url.path.replace(".x", f".{EXTENSIONS.get(url.name, 'x')}")


def methods_of(path: str, client: Client) -> list[str]:
    """All methods of a REST view; otherwise GET, or POST if only that is allowed."""
    if view := getattr(resolve(path).func, "cls", None):
        return [method.upper() for method in view.http_method_names if method != "options" and hasattr(view, method)]
    return ["POST"] if send(client, "GET", path).status_code == 405 else ["GET"]


def send(client: Client, method: str, path: str) -> HttpResponseBase:
    """Send a request without content, and undo what it changed."""
    with rolled_back():
        return client.generic(method, path, b"" if method in ("GET", "HEAD") else b"{}", "application/json")
