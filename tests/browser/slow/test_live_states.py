"""The live page in every state, with an engine whose words identify every audio sample."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import ApprovedUsers, log_in, status, stop, transcript
from tests.support.pages.screenshots import LAYOUTS, PageChecker
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path_factory, redis_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "1", "REDIS_URL": redis_server.url, "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("site"), 1, **env) as site:
        yield site


@pytest.fixture
def open_live_page(request, site, open_page, excerpt):
    """`open_live_page()`: a PageChecker of the live page of a new user."""
    users = ApprovedUsers(site)
    pictures = request.config.getoption("--pictures")
    recording = excerpt.wav(48_000, silence_after=60)
    lost_connection = ["WebSocket", "Failed to load", "ERR_"]

    def open_live_page():
        page = open_page(site.url, microphone=recording, expect=lost_connection, reduced_motion="reduce")
        log_in(page, users.next())
        return PageChecker(page, pictures, LAYOUTS if pictures else [("dark", "phone")])

    return open_live_page


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_every_state_has_a_status_and_recovers(site, open_live_page):
    checker = open_live_page()
    page = checker.page
    page.context.clear_permissions()
    button(page, "Start").click()
    expect(status(page)).to_contain_text("Microphone blocked.")
    checker.check("state-microphone-blocked")

    page.context.grant_permissions(["microphone"])
    button(page, "Try again").click()
    expect(status(page)).to_contain_text("Listening")
    page.get_by_label("Session title").fill("Minutes of the board")

    wait_in_queue_behind(page, open_live_page())
    lose_the_engine(checker, site)
    lose_the_network(checker, site)

    page.get_by_role("button", name="Captions").click()
    expect(page.get_by_role("dialog", name="Captions")).to_contain_text(transcript(page).split()[-1])
    checker.check("captions")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keyboard shortcuts and symbols").click()
    checker.check("help")
    page.keyboard.press("Escape")
    expect(status(page)).to_contain_text("Listening")
    stop(page)
    page.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Minutes of the board")


def wait_in_queue_behind(page, checker):
    """The only slot is in use: another user joins the queue, and gets the slot once it is released."""
    other = checker.page
    button(other, "Start").click()
    expect(status(other)).to_contain_text("The server is at capacity.")
    checker.check("state-full")
    button(other, "Join the queue").click()
    expect(status(other)).to_contain_text("You're number 1 in the queue.")
    checker.check("state-queued")
    button(page, "Pause").click()
    expect(status(other)).to_contain_text("Listening")
    stop(other)
    button(page, "Resume").click()
    expect(status(page)).to_contain_text("Listening")


def lose_the_engine(checker, site):
    site.inference[0].kill()
    expect(status(checker.page)).to_contain_text("The speech engine was lost")
    checker.check("state-engine-lost")
    site.add_inference()
    expect(status(checker.page)).to_contain_text("Listening")


def lose_the_network(checker, site):
    checker.page.context.set_offline(True)
    site.web.stop()
    expect(status(checker.page)).to_contain_text("You are offline.")
    checker.check("state-offline")
    site.web.start()
    site.wait_until_ready()
    checker.page.context.set_offline(False)
    expect(status(checker.page)).to_contain_text("Listening")
