"""Sign up, talk, watch the words appear, find them again: real Chromium, real speech, the engine of a fresh clone."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import Crowd, log_in, sign_up, start, status, stop, take_away, transcript
from tests.support.servers.site import running_site
from tests.support.speech.words import normalise, word_error_rate

pytestmark = pytest.mark.slow

SPOKEN = 44.9  # seconds of speech in the recording
WORD_ERRORS = 0.22
FIRST_WORD_WITHIN = 1.5  # seconds after it was spoken, on the screen

# When the microphone opened and when the first text stood in the transcript, by the page's own clock.
WATCH = """
const open = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (...wishes) {
  const stream = await open.apply(this, wishes);
  window.openedAt ??= performance.now();
  return stream;
};
addEventListener("DOMContentLoaded", () => {
  const log = document.querySelector("[role=log]");
  if (!log) return;
  new MutationObserver(() => {
    if (log.textContent.replace(/[\\d:\\s]/g, "")) window.firstWordAt ??= performance.now();
  }).observe(log, { childList: true, subtree: true, characterData: true });
});
"""


@pytest.fixture
def microphone(speech):
    return speech.wav(48_000, silence_after=30)


@pytest.fixture(scope="module")
def shared_site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), STT_SLOTS="2", RATE_LIMITS="off") as site:
        yield site, Crowd(site)


@pytest.fixture
def page(shared_site, open_page, microphone):
    """The live page of somebody new to the shared site: `page.owner` is the email address."""
    site, crowd = shared_site
    page = open_page(site.url, microphone=microphone)
    page.owner = crowd.next()
    log_in(page, page.owner)
    expect(page).to_have_url(f"{site.url}/live/")
    return page


def stored_words(site, owner="ada@example.org"):
    """Of each session: (text, start, end), in seconds."""
    return json.loads(
        site.shell(
            "import json; from speech.models import Session\n"
            f"sessions = Session.objects.filter(owner__email={owner!r})\n"
            "words = [list(s.words.values_list('text', 'start', 'end')) for s in sessions]\n"
            "print(json.dumps(words))"
        )
    )


def test_a_newcomer_talks_and_reads_along(start_either_site, open_page, microphone, speech):
    site = start_either_site(STT_SLOTS="2", from_nothing=True)
    page = open_page(site.url, microphone=microphone)
    page.add_init_script(WATCH)
    sign_up(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    start(page)
    page.wait_for_timeout(1000 * (SPOKEN + 3))
    stop(page)

    shown = transcript(page)
    assert word_error_rate(speech.text, shown) <= WORD_ERRORS

    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown.split())
    (stored,) = stored_words(site)
    assert [text for text, _, _ in stored] == shown.split()
    times = [time for _, start, end in stored for time in (start, end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= SPOKEN + 3.5


def test_the_first_word_is_on_the_screen_soon_after_it_was_spoken(shared_site, page):
    page.add_init_script(WATCH)
    page.reload()
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    stop(page)
    waited = page.evaluate("(firstWordAt - openedAt) / 1000")
    (((_, _, spoken), *_),) = stored_words(shared_site[0], page.owner)
    assert waited - spoken <= FIRST_WORD_WITHIN


def test_the_download_has_what_the_page_shows(page):
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    with page.expect_download() as while_it_runs:
        page.get_by_role("button", name="Download .txt").click()
    assert normalise(while_it_runs.value.path().read_text())
    stop(page)
    shown = transcript(page)
    page.get_by_role("link", name="Open the session").click()
    with page.expect_download() as stored:
        take_away(page, "Plain text")
    text = stored.value.path().read_text()
    assert normalise(shown) in normalise(" ".join(line.partition("] ")[2] for line in text.splitlines()))
    assert stored.value.suggested_filename.endswith(".txt")


def test_the_list_has_the_session_and_forgets_it_when_told(page):
    page.goto("/sessions/")
    expect(page.get_by_role("main")).to_contain_text("Start")
    page.goto("/live/")
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    stop(page)
    page.goto("/sessions/")
    entry = page.locator(".entry a").first
    said = entry.text_content()
    entry.click()
    page.get_by_role("button", name="Delete").first.click()
    expect(page).to_have_url(re.compile("/sessions/$"))
    expect(page.get_by_role("main")).not_to_contain_text(said)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main")).to_contain_text(said)


def test_a_pause_stops_the_clock_and_the_words_go_on_after_it(page):
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(status(page)).to_contain_text("Paused")
    paused_at = page.locator("#elapsed").text_content()
    page.wait_for_timeout(2500)
    assert page.locator("#elapsed").text_content() == paused_at
    words = page.locator(".word").count()
    page.get_by_role("button", name="Resume", exact=True).click()
    page.wait_for_function("count => document.querySelectorAll('.word').length > count", arg=words, timeout=25_000)
    stop(page)


def test_leaving_a_running_session_asks_first(page):
    start(page)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/sessions/")
    assert asked == ["beforeunload"]


def test_the_keyboard_starts_pauses_and_stops(page):
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    page.locator("body").press("Space")
    expect(page.get_by_role("button", name="Resume", exact=True)).to_be_visible()
    page.locator("body").press("Escape")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_visible()


def test_at_capacity_the_reader_may_wait_and_is_served_in_turn(start_site, open_page, microphone):
    site = start_site(STT_SLOTS="1")
    first = open_page(site.url, microphone=microphone)
    sign_up(first, "ada@example.org")
    start(first)
    second = first.context.new_page()
    second.goto("/live/")
    second.get_by_role("button", name="Start", exact=True).click()
    second.get_by_role("button", name="Wait for a free place").click()
    expect(status(second)).to_contain_text("number 1 in the queue")
    stop(first)
    expect(status(second)).to_contain_text("Listening", timeout=10_000)
    stop(second)


def test_a_lost_connection_costs_no_word(site, open_page, microphone, speech):
    page = open_page(site.url, microphone=microphone, expect=["WebSocket", "Failed to load", "ERR_"])
    sign_up(page, "ada@example.org")
    start(page)
    page.wait_for_timeout(9_000)
    site.web.kill()
    expect(status(page)).to_contain_text("reconnecting", timeout=10_000)
    page.wait_for_timeout(3_000)
    site.web.start()
    site.wait_until_ready()
    page.wait_for_timeout(1000 * (SPOKEN - 5))
    stop(page)
    assert word_error_rate(speech.text, transcript(page)) <= WORD_ERRORS + 0.05
    (stored,) = stored_words(site)
    assert [text for text, _, _ in stored] == transcript(page).split()
