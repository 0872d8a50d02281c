"""The live page as its users know it: `python -m benchmarks.live [--engine NAME]`.

The site as `make serve` starts it, real Chromium, the recording spoken into its microphone. For every word: from its
being spoken to its being shown, and to its being final. What is spoken when is what the stored session says.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

import psutil

from tests.support.pages.browser import Browsers
from tests.support.pages.page_actions import sign_up, start, stop
from tests.support.servers.site import running_site
from tests.support.speech.audio import Recording
from tests.support.speech.words import normalise, word_error_rate

SECONDS = 45

NOTE_WHEN_CAPTURE_BEGINS = """
const ask = MediaDevices.prototype.getUserMedia
MediaDevices.prototype.getUserMedia = async function (...asked) {
  const stream = await ask.apply(this, asked)
  window.began = performance.now()
  return stream
}
"""
WATCH = """
() => {
  const log = document.getElementById("transcript")
  window.seen = []
  new MutationObserver(() => {
    const tail = log.querySelector(".tail")?.textContent ?? ""
    const final = [...log.querySelectorAll(".word")].map(word => word.textContent)
    window.seen.push([performance.now(), final.join(" "), tail])
  }).observe(log, { childList: true, subtree: true, characterData: true })
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Browsers() as browsers:
        recording = Recording("bria", Path(folder))
        with running_site(Path(folder), STT_ENGINE=options.engine) as site:
            page = browsers.open(site.url, microphone=recording.wav(48_000, silence_after=60))
            page.add_init_script(NOTE_WHEN_CAPTURE_BEGINS)
            sign_up(page, "ada@example.org")
            page.wait_for_url("**/live/")
            page.evaluate(WATCH)
            process = psutil.Process(site.web.process.pid)
            start(page)
            page.wait_for_timeout(1000 * (SECONDS + 2))
            used = sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))
            stop(page)
            began, seen = page.evaluate("[window.began, window.seen]")
            page.get_by_role("link", name="Open the session").click()
            page.wait_for_url("**/sessions/*/")
            stored = json.loads(page.request.get(page.url.rstrip("/") + "/transcript.json").text())
        report(recording, began, seen, stored, used)


def report(recording: Recording, began: float, seen: list, stored: dict, used: float) -> None:
    words = [word for utterance in stored["utterances"] for word in utterance["words"]]
    text = " ".join(word["text"] for word in words)
    shown = [(at - began, normalise(f"{final} {tail}").split()) for at, final, tail in seen]
    settled = [(at - began, normalise(final).split()) for at, final, _ in seen]
    print(f"words: {len(words)}, word error rate {word_error_rate(recording.text, text):.3f}")
    print(f"first text {next(at for at, each in shown if each) / 1000:.2f} s after capture began")
    print(f"from a word's being spoken to its being shown: {delays(words, shown)}")
    print(f"from a word's being spoken to its being final: {delays(words, settled)}")
    print(f"CPU of all of the site's processes: {used:.0f} s for {SECONDS} s of speech, its start included")


def delays(words: list[dict], states: list[tuple[float, list[str]]]) -> str:
    """A word is there when it stands in its place and nothing before it is missing."""
    waited = []
    for number, word in enumerate(words):
        plain = normalise(word["text"])
        at = next((at for at, each in states if len(each) > number and each[number] == plain), None)
        if at is not None:
            waited.append(at / 1000 - word["end"])
    p95 = statistics.quantiles(waited, n=20)[-1]
    return f"median {statistics.median(waited):.2f} s, p95 {p95:.2f} s, longest {max(waited):.2f} s"


if __name__ == "__main__":
    main()
