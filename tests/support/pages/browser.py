"""Real Chromium with a WAV file as its microphone, which records everything that a page should not do."""

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
LOCAL_SCHEMES = {"data", "blob", "about"}
"""URL schemes that send no request."""

expect.set_options(timeout=60_000)  # ms; the default of tests that set none, for slow machines


class Browsers(AbstractContextManager["Browsers"]):
    """A browser without a microphone, and one for each microphone file.

    Playwright's synchronous API keeps an event loop running in the thread that opened it. Asynchronous tests need that
    thread without one, so tests can share browsers only if all of them are synchronous.
    """

    def __enter__(self) -> Self:
        self._playwright = sync_playwright().start()
        self._browsers: dict[Path | None, Browser] = {}
        self._monitors: list[PageMonitor] = []
        return self

    def open(self, url: str, microphone: Path | None = None, expect: Sequence[str] = (), **options: Any) -> Page:
        """Open a page in a new context, without cookies, with relative URLs resolved against `url`.

        `microphone` is a WAV file that plays once, from the moment the page opens the microphone. `expect` has regular
        expressions of problems that the test provokes. `options` are those of Playwright's `new_context`; by default
        they grant access to the microphone.
        """
        context = self._browser(microphone).new_context(**{"base_url": url, "permissions": ["microphone"]} | options)
        self._monitors.append(PageMonitor(context, url, expect))
        return context.new_page()

    def close_pages(self) -> None:
        """Close all pages, and the browsers with a microphone, because each microphone is of one test."""
        for monitor in self._monitors:
            monitor.context.close()
        for microphone in [each for each in self._browsers if each]:
            self._browsers.pop(microphone).close()

    def assert_no_problems(self) -> None:
        """Fail if a page since the last call had a problem."""
        problems = [problem for monitor in self._monitors for problem in monitor.problems]
        self._monitors.clear()
        assert not problems, "The browser recorded problems:\n" + "\n".join(problems)

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
                chromium_sandbox=os.geteuid() != 0,  # the sandbox does not work for root
            )
        return self._browsers[microphone]


class PageMonitor:
    """Records console errors, uncaught exceptions and requests to other origins in one browser context."""

    def __init__(self, context: BrowserContext, url: str, expect: Sequence[str]) -> None:
        self.context = context
        self.problems: list[str] = []
        self._origin = _origin(url)
        self._expect = [re.compile(pattern) for pattern in expect]
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self._record("uncaught", str(error.error)))
        context.on("request", lambda request: self._on_request(request.url))
        context.on("page", lambda page: page.on("websocket", lambda socket: self._on_request(socket.url)))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._record("console", message.text)

    def _on_request(self, url: str) -> None:
        if urlsplit(url).scheme not in LOCAL_SCHEMES and _origin(url) != self._origin:
            self._record("request to another origin", url)

    def _record(self, kind: str, text: str) -> None:
        if not any(pattern.search(text) for pattern in self._expect):
            self.problems.append(f"{kind}: {text}")


def _origin(url: str) -> tuple[str, str]:
    """Scheme, host and port; ws: counts as http:, because WebSockets belong to the page's origin."""
    parts = urlsplit(url)
    return parts.scheme.replace("ws", "http"), parts.netloc
