"""A page that loses the network, and dies, in mid-sentence: real Chromium; the engine's words prove every sample."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.flaky_network import Wire
from tests.support.pages.page_actions import log_in, start, status, stop, transcript

LOST_NETWORK = ["WebSocket", "Failed to load", "ERR_"]


@pytest.fixture
def wire(shared_site):
    wire = Wire(shared_site.url)
    yield wire
    wire.close()


def wait_for_words(page, count):
    page.wait_for_function("count => document.querySelectorAll('.word').length >= count", arg=count, timeout=60_000)


def times_of_words(page):
    """(start, end) of each, as the page of its session has them."""
    return page.locator(".word").evaluate_all("words => words.map(({ dataset }) => [dataset.start, dataset.end])")


def test_three_seconds_offline_and_then_a_reload_lose_nothing_and_double_nothing(wire, crowd, open_page, opening):
    page = open_page(wire.url, microphone=opening.wav(48_000, silence_after=60), expect=LOST_NETWORK)
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, crowd.next())
    start(page)
    wait_for_words(page, 7)

    wire.cut()
    page.context.set_offline(True)
    expect(status(page)).to_contain_text("You are offline.")
    page.wait_for_timeout(3_000)
    page.context.set_offline(False)
    wire.mend()
    wait_for_words(page, len(transcript(page).split()) + 7)

    before = transcript(page).split()
    page.reload()
    page.get_by_role("button", name="Resume").click()
    wait_for_words(page, len(before) + 7)
    stop(page)
    shown = transcript(page).split()
    assert shown[: len(before)] == before
    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown)
    times = times_of_words(page)
    assert [start for start, _ in times[1:]] == [end for _, end in times[:-1]]
