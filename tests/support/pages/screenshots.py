"""Layout and accessibility checks with screenshots: light and dark, desktop and phone."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

LAYOUTS = [("light", "desktop"), ("dark", "desktop"), ("dark", "phone"), ("light", "phone")]
SCREENS = {"desktop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
STANDARD = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
VIOLATIONS = "options => axe.run(options).then(results => results.violations)"
NEXT_FRAME = "new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)))"


class PageChecker:
    """Checks that a page does not overflow and that axe finds no violations; takes screenshots if `folder` is given."""

    def __init__(self, page: Page, folder: str | None = None, layouts: Sequence[tuple[str, str]] = LAYOUTS) -> None:
        self.page = page
        self._folder = Path(folder) if folder else None
        self._layouts = layouts

    def visit(self, path: str, name: str) -> None:
        self.page.goto(path)
        self.check(name)

    def check(self, name: str) -> None:
        for layout in self._each_layout(name):
            self._check_width(layout)
            self._check_accessibility(layout)

    def check_layout(self, name: str) -> None:
        """Check a page of third-party software, whose colors and labels are not ours."""
        for layout in self._each_layout(name):
            self._check_width(layout)

    def _each_layout(self, name: str) -> Iterator[str]:
        for theme, device in self._layouts:
            self.page.emulate_media(color_scheme=theme)
            self.page.set_viewport_size(SCREENS[device])
            self.page.evaluate(NEXT_FRAME)
            if self._folder:
                self.page.screenshot(path=self._folder / f"{name}-{theme}-{device}.png", full_page=True)
            yield f"{name}-{theme}-{device}"

    def _check_width(self, name: str) -> None:
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    def _check_accessibility(self, name: str) -> None:
        if not self.page.evaluate("'axe' in window"):  # injecting it takes longer than a check
            self.page.evaluate(Axe().axe_script)
        violations = self.page.evaluate(VIOLATIONS, STANDARD)
        assert not violations, f"{name}: {json.dumps(violations, indent=1)}"
