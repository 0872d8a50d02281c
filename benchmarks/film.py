"""Recording of the live page for the README: `python -m benchmarks.film [docs/images/live.gif]`.

The site as `make serve` starts it, real Chromium and real speech; the page shows the engine's transcript.
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
from tests.support.speech.audio import recorded_speech, two_sentences

SECONDS = 15
SCREEN = {"width": 960, "height": 600}
PALETTE = "split[all][some];[some]palettegen=max_colors=48[colors];[all][colors]paletteuse=dither=none"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=Path("docs/images/live.gif"), help="the GIF to write")
    file = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder, Browsers() as browsers:
        speech = two_sentences(recorded_speech(Path(folder)))
        with running_site(Path(folder)) as site:
            page = browsers.open(site.url, microphone=speech.wav(48_000, silence_after=60), viewport=SCREEN)
            sign_up(page, "ada@example.org")
            page.wait_for_url("**/live/")
            start(page)
            screenshots = [*take_screenshots(page, Path(folder), SECONDS)]
            stop(page)
        write_gif(screenshots, file)
    print(f"{file}: {len(screenshots)} screenshots, {file.stat().st_size / 1e6:.1f} MB")


def take_screenshots(page: Page, folder: Path, seconds: float) -> Iterator[tuple[Path, float]]:
    """Screenshots as fast as possible, each with its display time in seconds."""
    started = time.monotonic()
    number = 0
    while (at := time.monotonic()) - started < seconds:
        path = folder / f"{number:04}.png"
        page.screenshot(path=path)
        yield path, time.monotonic() - at
        number += 1


def write_gif(screenshots: list[tuple[Path, float]], file: Path) -> None:
    playlist = screenshots[0][0].parent / "playlist.txt"
    playlist.write_text("".join(f"file '{path}'\nduration {seconds:.3f}\n" for path, seconds in screenshots))
    arguments = ["-f", "concat", "-safe", "0", "-i", str(playlist), "-filter_complex", f"fps=8,{PALETTE}", str(file)]
    subprocess.run([programs.ffmpeg(), "-v", "error", "-y", *arguments], check=True)


if __name__ == "__main__":
    main()
