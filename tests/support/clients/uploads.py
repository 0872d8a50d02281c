"""Who sends files to a running site, as its page does, by hand."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.support.servers.site import Site

LOG_IN = """
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from accounts.models import User
user = User.objects.filter(email={email!r}).first() or User.objects.create_user({email!r}, status='approved')
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = 'allauth.account.auth_backends.AuthenticationBackend'
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""
CSRF = "c" * 32
PIECE = 1 << 20
Told = dict[str, Any]


class Sender:
    def __init__(self, site: Site, email: str = "sender@example.org", looks_every: float = 0.1) -> None:
        self.looks_every = looks_every  # seconds
        cookies = {"sessionid": site.shell(LOG_IN.format(email=email)), "csrftoken": CSRF}
        headers = {"X-CSRFToken": CSRF, "Origin": site.url}
        self.http = httpx.Client(base_url=f"{site.url}/api/uploads/", cookies=cookies, headers=headers, timeout=30)

    def announce(self, name: str, size: int, **wishes: Any) -> httpx.Response:
        return self.http.post("", json={"name": name, "size": size, **wishes})

    def piece(self, told: Told, data: bytes, offset: int) -> httpx.Response:
        return self.http.put(f"{told['id']}/", params={"offset": offset}, content=data)

    def send(self, name: str, data: bytes, until: int | None = None, **wishes: Any) -> Told:
        """All of it, or what lies before byte `until`."""
        told: Told = self.announce(name, len(data), **wishes).raise_for_status().json()
        end = len(data) if until is None else until
        for offset in range(told["received"], end, PIECE):
            told = self.piece(told, data[offset : min(offset + PIECE, end)], offset).raise_for_status().json()
        return told

    def look(self, told: Told) -> Told:
        while (answer := self.http.get(f"{told['id']}/")).status_code == 503:  # the database is away
            time.sleep(0.2)
        return answer.raise_for_status().json()

    def wait(self, told: Told, *states: str, within: float = 90.0) -> Told:
        return self.wait_until(told, lambda it: it["state"] in states, within)

    def wait_until(self, told: Told, is_so: Callable[[Told], bool], within: float = 90.0) -> Told:
        deadline = time.monotonic() + within
        while not is_so(told := self.look(told)):
            if time.monotonic() > deadline:
                raise TimeoutError(told)
            assert told["state"] not in ("refused", "done"), told
            time.sleep(self.looks_every)
        return told

    def wait_until_gone(self, told: Told, within: float = 60.0) -> None:
        deadline = time.monotonic() + within
        while self.http.get(f"{told['id']}/").status_code != 404:
            if time.monotonic() > deadline:
                raise TimeoutError(self.look(told))
            time.sleep(0.1)

    def cancel(self, told: Told) -> None:
        self.http.delete(f"{told['id']}/").raise_for_status()


def left_on_disk(site: Site) -> list[Path]:
    """The files of uploads that the site still has."""
    return [path for path in Path(site.env["DATA_DIR"], "uploads").glob("*") if path.is_file()]


def wait_until_nothing_is_left(site: Site, within: float = 30.0) -> None:
    """A file is deleted just after its upload has come to its end."""
    deadline = time.monotonic() + within
    while left := left_on_disk(site):
        if time.monotonic() > deadline:
            raise TimeoutError(left)
        time.sleep(0.05)
