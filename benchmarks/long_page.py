"""Speed of the live page after hours of speech: `python -m benchmarks.long_page [--words 10000]`.

The page's transcript and its view get the words of a long session, in sentences with partials. Prints the cost of a
word on a full page, and how smoothly the page scrolls.
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.support.pages.browser import Browsers
from tests.support.pages.page_actions import sign_up
from tests.support.servers.site import running_site

WORDS_PER_SECOND = 3
MEASURED = 20  # seconds

FILL = """
async (count) => {
  const script = document.querySelector('script[src*="pages/live"]').src
  const { Transcript } = await import(new URL("../live/transcript.js", script))
  const { TranscriptView } = await import(new URL("live/transcript-view.js", script))
  const log = document.getElementById("transcript")
  const newest = document.getElementById("newest")
  const transcript = (window.transcript = new Transcript())
  new TranscriptView({ log, newest, transcript })
  const sentence = "we met at noon and spoke about the garden the bridge and the long way home".split(" ")
  window.speak = () => {
    const index = transcript.words.length
    const segment = Math.floor(index / sentence.length)
    const at = index % sentence.length
    transcript.add({ index, segment, text: sentence[at], start: index / 3, end: (index + 1) / 3, confidence: 0.9 })
    if (at === sentence.length - 1) transcript.endSegment({ segment, end: (index + 1) / 3 })
    else transcript.setInterim(sentence.slice(at + 1, at + 4).join(" "), index / 3)
  }
  const started = performance.now()
  while (transcript.words.length < count) window.speak()
  await new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))
  return performance.now() - started
}
"""
ADD_WORDS = """
async ([seconds, rate]) => {
  const timer = setInterval(window.speak, 1000 / rate)
  await new Promise((done) => setTimeout(done, 1000 * seconds))
  clearInterval(timer)
}
"""
SCROLL = """
async () => {
  const log = document.getElementById("transcript")
  const intervals = []
  let last = performance.now()
  const step = log.scrollHeight / 300
  for (let i = 0; i < 300; i++) {
    log.scrollTop = log.scrollHeight - i * step
    const now = await new Promise(requestAnimationFrame)
    intervals.push(now - last)
    last = now
  }
  intervals.sort((a, b) => a - b)
  return [intervals[150], intervals[285]]
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--words", type=int, default=10_000, help="number of words")
    words = parser.parse_args().words
    with (
        tempfile.TemporaryDirectory() as folder,
        Browsers() as browsers,
        running_site(Path(folder), STT_ENGINE="checksum") as site,
    ):
        page = browsers.open(site.url)
        sign_up(page, "ada@example.org")
        page.wait_for_url("**/live/")
        filled = page.evaluate(FILL, words)
        busy = main_thread_seconds(page, ADD_WORDS, [MEASURED, WORDS_PER_SECOND]) / MEASURED
        median, p95 = page.evaluate(SCROLL)
    print(f"{words} words at once: {filled:.0f} ms, {1000 * filled / words:.0f} µs per word")
    print(f"with {words} words, at {WORDS_PER_SECOND} more per second: {100 * busy:.1f}% of the main thread")
    print(f"scrolling through everything: frame interval {median:.1f} ms, p95 {p95:.1f} ms")


def main_thread_seconds(page: Page, script: str, argument: object) -> float:
    """CPU seconds of the page's main thread while the script runs."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")

    def seconds() -> float:
        metrics = session.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration")

    before = seconds()
    page.evaluate(script, argument)
    return seconds() - before


if __name__ == "__main__":
    main()
