"""All speech is transcribed despite failures of the network, the page or the tab: real Chromium, real speech."""

import json
import re
import time

import pytest
from playwright.sync_api import expect

from tests.support.clients.sockets import tickets
from tests.support.pages.flaky_network import FlakyNetwork
from tests.support.pages.page_actions import ApprovedUsers, log_in, sign_up, start, status, stop, transcript
from tests.support.speech.words import word_error_rate

pytestmark = pytest.mark.slow

MAX_WORD_ERROR_RATE = 0.22
FRAME = 0.08  # seconds
LOST_NETWORK = ["WebSocket", "Failed to load", "ERR_"]

TAKE_OVER = """([path, session]) => {
  window.socket = new WebSocket(location.origin.replace("http", "ws") + path)
  socket.onopen = () => socket.send(JSON.stringify({ type: "start", session }))
}"""


@pytest.fixture
def microphone(speech):
    return speech.wav(48_000, silence_after=30)


@pytest.fixture(scope="module")
def users(checksum_site):
    return ApprovedUsers(checksum_site)


@pytest.fixture
def owner(users):
    """The email address of a new user of the shared site."""
    return users.next()


@pytest.fixture
def network_to():
    networks = []

    def create(site):
        networks.append(FlakyNetwork(site.url))
        return networks[-1]

    yield create
    for network in networks:
        network.close()


def stored(site, owner):
    """Return the words of a user's only session, and its duration in seconds."""
    words, samples = json.loads(
        site.shell(
            "import json; from speech.models import Session\n"
            f"session = Session.objects.get(owner__email={owner!r})\n"
            "print(json.dumps([list(session.words.values_list('text', 'start', 'end')), session.samples]))"
        )
    )
    return words, samples / 24_000


def resume_prompt(page):
    return page.get_by_role("region", name="Unfinished session")


def wait_for_words(page, count):
    page.wait_for_function("count => document.querySelectorAll('.word').length >= count", arg=count, timeout=30_000)


def close_tab(page):
    """Close the tab without a confirmation dialog. Return a new, empty tab."""
    tab = page.context.new_page()
    page.close(run_before_unload=False)
    return tab


def assert_words_are_contiguous(words):
    """The checksum engine's words cover the audio without gaps unless a word is missing or duplicated."""
    assert [start for _, start, _ in words[1:]] == [end for _, _, end in words[:-1]]


def test_offline_in_mid_sentence_loses_no_word(site, network_to, open_page, microphone, speech):
    network = network_to(site)
    page = open_page(network.url, microphone=microphone, expect=LOST_NETWORK)
    sign_up(page, "ada@example.org")
    start(page)
    page.wait_for_timeout(9_000)
    network.go_down()
    page.context.set_offline(True)
    expect(status(page)).to_contain_text("You are offline. Recording continues; nothing is lost.", timeout=10_000)
    page.wait_for_timeout(6_000)
    expect(page.get_by_text("s buffered in this browser.")).to_be_visible()
    page.context.set_offline(False)
    network.come_up()
    page.wait_for_timeout(1000 * (speech.seconds - 13))
    stop(page)
    assert word_error_rate(speech.text, transcript(page)) <= MAX_WORD_ERROR_RATE + 0.05
    words, _ = stored(site, "ada@example.org")
    assert [text for text, _, _ in words] == transcript(page).split()


def test_a_reload_in_mid_sentence_loses_and_duplicates_nothing(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, owner)
    start(page)
    wait_for_words(page, 12)
    before = transcript(page).split()
    page.reload()
    expect(resume_prompt(page)).to_be_visible()
    expect(page.locator(".word").first).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    wait_for_words(page, len(before) + 12)
    stop(page)
    words, seconds = stored(checksum_site, owner)
    shown = transcript(page).split()
    assert [text for text, _, _ in words] == shown
    assert shown[: len(before)] == before
    assert_words_are_contiguous(words)
    assert words[-1][2] == pytest.approx(seconds, abs=FRAME)


def test_the_recording_of_a_closed_tab_is_finished_by_the_next(checksum_site, owner, network_to, open_page, microphone):
    network = network_to(checksum_site)
    page = open_page(network.url, microphone=microphone, expect=LOST_NETWORK)
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    network.go_down()
    shown_before = transcript(page).split()
    page.wait_for_timeout(6_000)
    tab = close_tab(page)
    network.come_up()
    tab.goto("/live/")
    expect(resume_prompt(tab)).to_contain_text(re.compile(r"The last [5-9] s are kept"))
    tab.get_by_role("button", name="Finish").click()
    expect(status(tab)).to_contain_text("Saved", timeout=20_000)
    words, seconds = stored(checksum_site, owner)
    assert [text for text, _, _ in words] == transcript(tab).split()
    assert transcript(tab).split()[: len(shown_before)] == shown_before
    assert_words_are_contiguous(words)
    assert seconds >= 0.4 * len(shown_before) + 5
    tab.reload()
    expect(tab.get_by_text("Press Start and speak.")).to_be_visible()


def test_repeated_reloads_lose_nothing(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, owner)
    start(page)
    for spoken in (1_200, 2_000, 700):
        page.wait_for_timeout(spoken)
        page.reload()
        page.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    wait_for_words(page, 15)
    stop(page)
    words, seconds = stored(checksum_site, owner)
    assert [text for text, _, _ in words] == transcript(page).split()
    assert_words_are_contiguous(words)
    assert words[-1][2] == pytest.approx(seconds, abs=FRAME)


def test_the_newest_connection_takes_over_the_session(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    (ticket,) = tickets(checksum_site, email=owner)
    session = checksum_site.shell(
        f"from speech.models import Session; print(Session.objects.get(owner__email={owner!r}).pk)"
    )
    other = page.context.new_page()
    other.goto("/sessions/")
    other.evaluate(TAKE_OVER, [f"/ws/live/?ticket={ticket}", session])
    expect(status(page)).to_contain_text("This session moved to another window.")
    page.wait_for_timeout(3_000)
    assert other.evaluate("socket.readyState") == 1


def test_the_recording_of_an_open_tab_is_not_offered_to_another(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    other = page.context.new_page()
    other.goto("/live/")
    expect(other.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    other.wait_for_timeout(1_000)
    expect(resume_prompt(other)).to_be_hidden()
    stop(page)


def test_the_audio_of_a_deleted_session_can_be_saved(checksum_site, owner, network_to, open_page, microphone):
    network = network_to(checksum_site)
    page = open_page(network.url, microphone=microphone, expect=["404", *LOST_NETWORK])
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    network.go_down()
    page.wait_for_timeout(2_000)
    tab = close_tab(page)
    checksum_site.shell(f"from speech.models import Session; Session.objects.filter(owner__email={owner!r}).delete()")
    network.come_up()
    tab.goto("/live/")
    expect(resume_prompt(tab)).to_contain_text("The session was deleted")
    with tab.expect_download() as saved:
        tab.get_by_role("button", name="Save audio file").click()
    assert saved.value.path().read_bytes()[:4] == b"RIFF"
    expect(tab.get_by_role("button", name="Resume")).to_be_hidden()


def test_discarding_asks_first(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    tab = close_tab(page)
    tab.goto("/live/")
    tab.get_by_role("button", name="Discard").click()
    tab.get_by_role("button", name="Cancel").click()
    expect(resume_prompt(tab)).to_be_visible()
    tab.get_by_role("button", name="Discard").click()
    tab.get_by_role("dialog").get_by_role("button", name="Discard").click()
    expect(resume_prompt(tab)).to_be_hidden()
    tab.reload()
    expect(tab.get_by_text("Press Start and speak.")).to_be_visible()
    tab.wait_for_timeout(500)
    expect(resume_prompt(tab)).to_be_hidden()


def test_a_browser_without_a_database_buffers_in_memory(checksum_site, owner, open_page, microphone):
    page = open_page(checksum_site.url, microphone=microphone)
    page.add_init_script("IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError') }")
    log_in(page, owner)
    start(page)
    wait_for_words(page, 5)
    stop(page)
    words, _ = stored(checksum_site, owner)
    assert_words_are_contiguous(words)


NEWEST = """
from speech.models import Session
print(*Session.objects.latest("started_at").words.values_list("text", flat=True))
"""


def test_a_closed_tab_that_is_not_reopened_keeps_its_words(site, open_page, microphone, speech):
    page = open_page(site.url, microphone=microphone)
    sign_up(page, "ada@example.org")
    start(page)
    page.wait_for_function("() => document.querySelector('.tail')?.textContent.split(' ').length > 6")
    page.close()
    words = words_of_newest_session(site)
    spoken = speech.text.split()[: len(words)]
    assert word_error_rate(" ".join(spoken), " ".join(words)) <= 0.4  # the last word may be cut off


def words_of_newest_session(site) -> list[str]:
    """Wait for words: the server ends the sentence a moment after the client has left."""
    started = time.monotonic()
    while time.monotonic() - started < 60:
        if words := site.shell(NEWEST).split():
            return words
    raise AssertionError("no word was stored")
