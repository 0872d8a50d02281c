"""A film of somebody speaking, for the README: `python -m benchmarks.film [docs/images/live.gif]`.

The site as `make serve` starts it, real Chromium, real speech. What the page shows is what the engine heard.
"""

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.support.pages.browser import Browsers
from tests.support.pages.page_actions import sign_up, start, stop
from tests.support.servers import programs
from tests.support.servers.site import running_site
from tests.support.speech.audio import Recording

SECONDS = 15
SCREEN = {"width": 960, "height": 600}
PALETTE = "split[all][some];[some]palettegen=max_colors=48[colours];[all][colours]paletteuse=dither=none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/images/live.gif"))
    file = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder, Browsers() as browsers:
        speech = Recording("bria", Path(folder), sentences=2, seconds=13.6)
        with running_site(Path(folder)) as site:
            page = browsers.open(site.url, microphone=speech.wav(48_000, silence_after=60), viewport=SCREEN)
            sign_up(page, "ada@example.org")
            page.wait_for_url("**/live/")
            start(page)
            pictures = [*taken(page, Path(folder), SECONDS)]
            stop(page)
        develop(pictures, file)
    print(f"{file}: {len(pictures)} pictures, {file.stat().st_size / 1e6:.1f} MB")


def taken(page: Page, folder: Path, seconds: float) -> Iterator[tuple[Path, float]]:
    """Pictures as fast as they can be taken, each with how long it is to be seen."""
    began = time.monotonic()
    number = 0
    while (at := time.monotonic()) - began < seconds:
        picture = folder / f"{number:04}.png"
        page.screenshot(path=picture)
        yield picture, time.monotonic() - at
        number += 1


def develop(pictures: list[tuple[Path, float]], file: Path) -> None:
    reel = pictures[0][0].parent / "reel.txt"
    reel.write_text("".join(f"file '{picture}'\nduration {seconds:.3f}\n" for picture, seconds in pictures))
    film = ["-f", "concat", "-safe", "0", "-i", str(reel), "-filter_complex", f"fps=8,{PALETTE}", str(file)]
    subprocess.run([programs.ffmpeg(), "-v", "error", "-y", *film], check=True)


if __name__ == "__main__":
    main()
