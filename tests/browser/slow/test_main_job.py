"""Sign up, transcribe and open the session: real Chromium, real speech, the default engine of a fresh clone."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import (
    ApprovedUsers,
    choose_download,
    log_in,
    sign_up,
    start,
    status,
    stop,
    transcript,
)
from tests.support.servers.site import running_site
from tests.support.speech.words import normalize, word_error_rate

pytestmark = pytest.mark.slow

MAX_WORD_ERROR_RATE = 0.22
MAX_FIRST_WORD_DELAY = 1.5  # seconds from its end in the audio until it is shown

# Records when the microphone opened and when the first text appeared, by the page's clock.
RECORD_TIMES = """
const open = MediaDevices.prototype.getUserMedia;
MediaDevices.prototype.getUserMedia = async function (...options) {
  const stream = await open.apply(this, options);
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
        yield site, ApprovedUsers(site)


@pytest.fixture
def page(shared_site, open_page, excerpt):
    """The live page of a new user of the shared site; `page.owner` is the email address."""
    site, users = shared_site
    page = open_page(site.url, microphone=excerpt.wav(48_000, silence_after=30))
    page.owner = users.next()
    log_in(page, page.owner)
    expect(page).to_have_url(f"{site.url}/live/")
    return page


def stored_words(site, owner="ada@example.org"):
    """Return (text, start, end) of each word of each session, in seconds."""
    return json.loads(
        site.shell(
            "import json; from speech.models import Session\n"
            f"sessions = Session.objects.filter(owner__email={owner!r})\n"
            "words = [list(s.words.values_list('text', 'start', 'end')) for s in sessions]\n"
            "print(json.dumps(words))"
        )
    )


def test_the_first_user_transcribes_and_reads_along(start_either_site, open_page, microphone, speech):
    site = start_either_site(STT_SLOTS="2", from_nothing=True)
    page = open_page(site.url, microphone=microphone)
    page.add_init_script(RECORD_TIMES)
    sign_up(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    start(page)
    page.wait_for_timeout(1000 * (speech.seconds + 3))
    stop(page)

    shown = transcript(page)
    assert word_error_rate(speech.text, shown) <= MAX_WORD_ERROR_RATE

    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown.split())
    (stored,) = stored_words(site)
    assert [text for text, _, _ in stored] == shown.split()
    times = [time for _, start, end in stored for time in (start, end)]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] <= speech.seconds + 3.5


def test_the_first_word_appears_soon_after_it_is_spoken(shared_site, page):
    page.add_init_script(RECORD_TIMES)
    page.reload()
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    stop(page)
    delay = page.evaluate("(firstWordAt - openedAt) / 1000")
    (((_, _, spoken), *_),) = stored_words(shared_site[0], page.owner)
    assert delay - spoken <= MAX_FIRST_WORD_DELAY


def test_the_download_has_what_the_page_shows(page):
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Download .txt").click()
    assert normalize(download.value.path().read_text())
    stop(page)
    shown = transcript(page)
    page.get_by_role("link", name="Open the session").click()
    with page.expect_download() as stored:
        choose_download(page, "Plain text")
    text = stored.value.path().read_text()
    assert normalize(shown) in normalize(" ".join(line.partition("] ")[2] for line in text.splitlines()))
    assert stored.value.suggested_filename.endswith(".txt")


def test_a_session_in_the_list_can_be_deleted_and_restored(page):
    page.goto("/sessions/")
    expect(page.get_by_role("main")).to_contain_text("No sessions yet")
    page.goto("/live/")
    start(page)
    expect(page.locator(".word").first).to_be_visible(timeout=15_000)
    stop(page)
    page.goto("/sessions/")
    entry = page.locator(".entry a").first
    title = entry.text_content()
    entry.click()
    page.get_by_role("button", name="Delete").first.click()
    expect(page).to_have_url(re.compile("/sessions/$"))
    expect(page.get_by_role("main")).not_to_contain_text(title)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("main")).to_contain_text(title)


def test_a_pause_stops_the_clock_and_words_continue_after_it(page):
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


def test_at_capacity_a_user_can_join_the_queue(start_site, open_page, microphone):
    site = start_site(STT_SLOTS="1")
    first = open_page(site.url, microphone=microphone)
    sign_up(first, "ada@example.org")
    start(first)
    second = first.context.new_page()
    second.goto("/live/")
    second.get_by_role("button", name="Start", exact=True).click()
    second.get_by_role("button", name="Join the queue").click()
    expect(status(second)).to_contain_text("number 1 in the queue")
    stop(first)
    expect(status(second)).to_contain_text("Listening", timeout=10_000)
    stop(second)


def test_a_lost_connection_loses_no_word(site, open_page, microphone, speech):
    page = open_page(site.url, microphone=microphone, expect=["WebSocket", "Failed to load", "ERR_"])
    sign_up(page, "ada@example.org")
    start(page)
    page.wait_for_timeout(9_000)
    site.web.kill()
    expect(status(page)).to_contain_text("Reconnecting", timeout=10_000)
    page.wait_for_timeout(3_000)
    site.web.start()
    site.wait_until_ready()
    page.wait_for_timeout(1000 * (speech.seconds - 5))
    stop(page)
    assert word_error_rate(speech.text, transcript(page)) <= MAX_WORD_ERROR_RATE + 0.05
    (stored,) = stored_words(site)
    assert [text for text, _, _ in stored] == transcript(page).split()
