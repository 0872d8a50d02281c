"""A real Chromium with a microphone that plays a file, and an ear for everything a page should not do."""

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.support.servers import programs

FLAGS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-fake-device-for-media-stream",
]
INSIDE = {"data", "blob", "about"}
"""Schemes that reach nobody."""

expect.set_options(timeout=60_000)  # ms, where a test has no time of its own: machines may be slow


class Browsers(AbstractContextManager["Browsers"]):
    """The browsers of one test, one for each microphone.

    Playwright's synchronous interface keeps an event loop running in the thread that opened it, and asynchronous tests
    need that thread without one: so it lives no longer than a test.
    """

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browsers: dict[Path | None, Browser] = {}
        self._watches: list[Watch] = []
        return self

    def open(self, url: str, microphone: Path | None = None, expect: Sequence[str] = (), **options: Any) -> Page:
        """A page for somebody new: no cookies of others, relative addresses beginning at `url`.

        `microphone` is a WAV file that is spoken once, from the moment the page listens. `expect` has regular
        expressions of complaints that the test is about. `options` are those of Playwright's `new_context`, which
        may use the microphone if they do not say otherwise.
        """
        context = self._browser(microphone).new_context(**{"base_url": url, "permissions": ["microphone"]} | options)
        self._watches.append(Watch(context, url, expect))
        return context.new_page()

    def assert_no_complaints(self) -> None:
        complaints = [complaint for watch in self._watches for complaint in watch.complaints]
        assert not complaints, "The browser has something to complain about:\n" + "\n".join(complaints)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for browser in self._browsers.values():
            browser.close()
        self._playwright.stop()

    def _browser(self, microphone: Path | None) -> Browser:
        if microphone not in self._browsers:
            flags = [*FLAGS, f"--use-file-for-fake-audio-capture={microphone}%noloop"] if microphone else FLAGS
            self._browsers[microphone] = self._playwright.chromium.launch(
                executable_path=programs.chromium(),
                args=flags,
                chromium_sandbox=os.geteuid() != 0,  # it refuses to be root's
            )
        return self._browsers[microphone]


class Watch:
    """What the pages of one browser context did that no page should."""

    def __init__(self, context: BrowserContext, url: str, expect: Sequence[str]) -> None:
        self.complaints: list[str] = []
        self._own = _origin(url)
        self._expect = [re.compile(pattern) for pattern in expect]
        context.on("console", self._console)
        context.on("weberror", lambda error: self._note("uncaught", str(error.error)))
        context.on("request", lambda request: self._request(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._request(socket.url)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._note("console", message.text)

    def _request(self, url: str) -> None:
        if urlsplit(url).scheme not in INSIDE and _origin(url) != self._own:
            self._note("request to another origin", url)

    def _note(self, kind: str, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._expect):
            self.complaints.append(f"{kind}: {text}")


def _origin(url: str) -> tuple[str, str]:
    """Host and port; a page's sockets go to ws: where the page came from http:."""
    parts = urlsplit(url)
    return parts.scheme.replace("ws", "http"), parts.netloc
