"""A page loses the network and is reloaded in mid-sentence; the engine's words identify every audio sample."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.flaky_network import FlakyNetwork
from tests.support.pages.page_actions import add_login, start, status, stop, transcript

LOST_NETWORK = ["WebSocket", "Failed to load", "ERR_"]
WORDS = 4  # before each fault


@pytest.fixture
def network(shared_site):
    network = FlakyNetwork(shared_site.url)
    yield network
    network.close()


def wait_for_words(page, count):
    page.wait_for_function("count => document.querySelectorAll('.word').length >= count", arg=count, timeout=60_000)


def times_of_words(page):
    """Return (start, end) of each word on the page of the session."""
    return page.locator(".word").evaluate_all("words => words.map(({ dataset }) => [dataset.start, dataset.end])")


def test_a_lost_network_and_a_reload_lose_and_duplicate_nothing(shared_site, network, users, open_page, excerpt):
    page = open_page(network.url, microphone=excerpt.wav(48_000, silence_after=60), expect=LOST_NETWORK)
    page.on("dialog", lambda dialog: dialog.accept())
    add_login(page, shared_site, users.next())
    page.goto("/live/")
    start(page)
    wait_for_words(page, WORDS)

    network.go_down()
    page.context.set_offline(True)
    expect(status(page)).to_contain_text("You are offline.")
    page.wait_for_timeout(1_500)
    page.context.set_offline(False)
    network.come_up()
    wait_for_words(page, len(transcript(page).split()) + WORDS)

    before = transcript(page).split()
    page.reload()
    page.get_by_role("button", name="Resume").click()
    wait_for_words(page, len(before) + WORDS)
    stop(page)
    shown = transcript(page).split()
    assert shown[: len(before)] == before
    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown)
    times = times_of_words(page)
    assert [start for start, _ in times[1:]] == [end for _, end in times[:-1]]
