"""Client that uploads files to a running site, as the page does."""

import hashlib
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
PART_BYTES = 1 << 20
Status = dict[str, Any]


class Sender:
    def __init__(self, site: Site, email: str = "sender@example.org", poll_interval: float = 0.1) -> None:
        self.poll_interval = poll_interval  # seconds
        cookies = {"sessionid": site.shell(LOG_IN.format(email=email)), "csrftoken": CSRF}
        headers = {"X-CSRFToken": CSRF, "Origin": site.url}
        self.http = httpx.Client(base_url=f"{site.url}/api/v1/uploads/", cookies=cookies, headers=headers, timeout=30)

    def create(self, name: str, size: int, **options: Any) -> httpx.Response:
        return self.http.post("", json={"name": name, "size": size, **options})

    def send_part(self, upload: Status, data: bytes, offset: int, sha256: str = "") -> httpx.Response:
        parameters = {"offset": str(offset)} | ({"sha256": sha256} if sha256 else {})
        return self.http.put(f"{upload['id']}/content/", params=parameters, content=data)

    def send(self, name: str, data: bytes, until: int | None = None, **options: Any) -> Status:
        """Send the whole file, or its bytes before `until`; with its hash if it has a `fingerprint`."""
        upload: Status = self.create(name, len(data), **options).raise_for_status().json()
        end = len(data) if until is None else until
        sha256 = hashlib.sha256(data).hexdigest() if "fingerprint" in options else ""
        for offset in range(upload["received"], end, PART_BYTES):
            part = data[offset : min(offset + PART_BYTES, end)]
            upload = self.send_part(upload, part, offset, sha256).raise_for_status().json()
        return upload

    def status(self, upload: Status) -> Status:
        while (response := self.http.get(f"{upload['id']}/")).status_code == 503:  # the database is unavailable
            time.sleep(0.2)
        return response.raise_for_status().json()

    def wait(self, upload: Status, *states: str, within: float = 90.0) -> Status:
        return self.wait_until(upload, lambda status: status["state"] in states, within)

    def wait_until(self, upload: Status, condition: Callable[[Status], bool], within: float = 90.0) -> Status:
        deadline = time.monotonic() + within
        while not condition(upload := self.status(upload)):
            if time.monotonic() > deadline:
                raise TimeoutError(upload)
            assert upload["state"] not in ("failed", "done"), upload
            time.sleep(self.poll_interval)
        return upload

    def wait_until_gone(self, upload: Status, within: float = 60.0) -> None:
        deadline = time.monotonic() + within
        while self.http.get(f"{upload['id']}/").status_code != 404:
            if time.monotonic() > deadline:
                raise TimeoutError(self.status(upload))
            time.sleep(0.1)

    def accept_truncated(self, upload: Status) -> None:
        self.http.post(f"{upload['id']}/accept/").raise_for_status()

    def cancel(self, upload: Status) -> None:
        self.http.delete(f"{upload['id']}/").raise_for_status()


def left_on_disk(site: Site) -> list[Path]:
    """Files of uploads that are still on the site's disk."""
    return [path for path in Path(site.env["DATA_DIR"], "uploads").glob("*") if path.is_file()]


def wait_until_nothing_is_left(site: Site, within: float = 30.0) -> None:
    """Wait until all upload files are deleted, which happens just after an upload ends."""
    deadline = time.monotonic() + within
    while left := left_on_disk(site):
        if time.monotonic() > deadline:
            raise TimeoutError(left)
        time.sleep(0.05)
