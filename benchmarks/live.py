"""Latency of the live page as users experience it: `python -m benchmarks.live [--engine NAME]`.

The site as `make serve` starts it, and real Chromium whose microphone plays tests/support/speech/audio.py. Measures for
every word the time from its end in the audio until it is shown, and until it is final. Word times are those of the
stored session.
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
from tests.support.speech.audio import Recording, recorded_speech
from tests.support.speech.words import normalize, word_error_rate

RECORD_CAPTURE_START = """
const getUserMedia = MediaDevices.prototype.getUserMedia
MediaDevices.prototype.getUserMedia = async function (...options) {
  const stream = await getUserMedia.apply(this, options)
  window.startedAt = performance.now()
  return stream
}
"""
OBSERVE = """
() => {
  const log = document.getElementById("transcript")
  window.states = []
  new MutationObserver(() => {
    const tail = log.querySelector(".tail")?.textContent ?? ""
    const final = [...log.querySelectorAll(".word")].map(word => word.textContent)
    window.states.push([performance.now(), final.join(" "), tail])
  }).observe(log, { childList: true, subtree: true, characterData: true })
}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", default="auto", help="STT engine")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Browsers() as browsers:
        recording = recorded_speech(Path(folder))
        with running_site(Path(folder), STT_ENGINE=options.engine) as site:
            page = browsers.open(site.url, microphone=recording.wav(48_000, silence_after=60))
            page.add_init_script(RECORD_CAPTURE_START)
            sign_up(page, "ada@example.org")
            page.wait_for_url("**/live/")
            page.evaluate(OBSERVE)
            process = psutil.Process(site.web.process.pid)
            start(page)
            page.wait_for_timeout(1000 * (recording.seconds + 2))
            used = sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))
            stop(page)
            started, states = page.evaluate("[window.startedAt, window.states]")
            page.get_by_role("link", name="Open the session").click()
            page.wait_for_url("**/sessions/*/")
            stored = json.loads(page.request.get(page.url.rstrip("/") + "/transcript.json").text())
        report(recording, started, states, stored, used)


def report(recording: Recording, started: float, states: list, stored: dict, used: float) -> None:
    words = [word for segment in stored["segments"] for word in segment["words"]]
    text = " ".join(word["text"] for word in words)
    shown = [(at - started, normalize(f"{final} {tail}").split()) for at, final, tail in states]
    finals = [(at - started, normalize(final).split()) for at, final, _ in states]
    print(f"words: {len(words)}, word error rate {word_error_rate(recording.text, text):.3f}")
    print(f"first text {next(at for at, each in shown if each) / 1000:.2f} s after the start of capture")
    print(f"delay until a word is shown: {delays(words, shown)}")
    print(f"delay until a word is final: {delays(words, finals)}")
    print(f"CPU time of the site's processes: {used:.0f} s for {recording.seconds:.0f} s of speech, including startup")


def delays(words: list[dict], states: list[tuple[float, list[str]]]) -> str:
    """Statistics of the delays; a word counts as present when it is at its index, so no word before it is missing."""
    values = []
    for number, word in enumerate(words):
        normalized = normalize(word["text"])
        at = next((at for at, each in states if len(each) > number and each[number] == normalized), None)
        if at is not None:
            values.append(at / 1000 - word["end"])
    p95 = statistics.quantiles(values, n=20)[-1]
    return f"median {statistics.median(values):.2f} s, p95 {p95:.2f} s, maximum {max(values):.2f} s"


if __name__ == "__main__":
    main()
