"""A page, as it looks: light and dark, on a desk and on a phone."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

LOOKS = [("light", "desk"), ("dark", "desk"), ("dark", "phone"), ("light", "phone")]
SCREENS = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
STANDARD = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
NEXT_FRAME = "new Promise(painted => requestAnimationFrame(() => requestAnimationFrame(painted)))"


class Camera:
    """Looks at a page: nothing sticks out at the side, axe finds nothing, and a picture is kept if wanted."""

    def __init__(self, page: Page, folder: str | None = None, looks: Sequence[tuple[str, str]] = LOOKS) -> None:
        self.page = page
        self._folder = Path(folder) if folder else None
        self._looks_at = looks

    def visit(self, path: str, name: str) -> None:
        self.page.goto(path)
        self.look(name)

    def look(self, name: str) -> None:
        for look in self._looks(name):
            self._fits(look)
            self._is_accessible(look)

    def look_at_what_others_made(self, name: str) -> None:
        """Its colours and labels are theirs."""
        for look in self._looks(name):
            self._fits(look)

    def _looks(self, name: str) -> Iterator[str]:
        for theme, device in self._looks_at:
            self.page.emulate_media(color_scheme=theme)
            self.page.set_viewport_size(SCREENS[device])
            self.page.evaluate(NEXT_FRAME)
            if self._folder:
                self.page.screenshot(path=self._folder / f"{name}-{theme}-{device}.png", full_page=True)
            yield f"{name}-{theme}-{device}"

    def _fits(self, name: str) -> None:
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"

    def _is_accessible(self, name: str) -> None:
        found = Axe().run(self.page, options=STANDARD).response["violations"]
        assert not found, f"{name}: {json.dumps(found, indent=1)}"
