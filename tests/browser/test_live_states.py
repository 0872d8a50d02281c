"""The live page in every state that it may get into, with an engine whose words prove every sample."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import Crowd, log_in, status, stop, transcript
from tests.support.camera import Camera
from tests.support.site import running_site


@pytest.fixture
def site(tmp_path_factory, redis_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "1", "REDIS_URL": redis_server.url, "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("site"), 1, **env) as site:
        yield site


@pytest.fixture
def camera(site, open_page):
    expected = ["WebSocket", "Failed to load", "ERR_"]
    page = open_page(site.url, expect=expected, reduced_motion="reduce")
    log_in(page, Crowd(site).next())
    return Camera(page, looks=[("dark", "phone")])


def allow_microphone(page, setting):
    permission = {"permission": {"name": "microphone"}, "setting": setting}
    page.context.new_cdp_session(page).send("Browser.setPermission", permission)


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_every_state_says_what_happened_and_leads_on(site, camera, open_page):
    page = camera.page
    allow_microphone(page, "denied")
    button(page, "Start").click()
    expect(status(page)).to_contain_text("The microphone is not allowed.")
    camera.look("not-allowed")

    allow_microphone(page, "granted")
    button(page, "Try again").click()
    expect(status(page)).to_contain_text("Listening")
    page.get_by_label("Title of the session").fill("Minutes of the board")

    queue_up_behind(page, site, open_page)
    lose_the_engine(camera, site)
    lose_the_network(camera, site)

    page.get_by_role("button", name="Captions").click()
    expect(page.get_by_role("dialog", name="Captions")).to_contain_text(transcript(page).split()[-1])
    camera.look("captions")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Keys and signs").click()
    camera.look("help")
    page.keyboard.press("Escape")
    expect(status(page)).to_contain_text("Listening")
    stop(page)
    page.get_by_role("link", name="Open the session").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Minutes of the board")


def queue_up_behind(page, site, open_page):
    """The only slot is taken: somebody else waits for it, and has it once it is free."""
    other = open_page(site.url)
    log_in(other, "person-1@example.org")
    button(other, "Start").click()
    expect(status(other)).to_contain_text("All places are taken.")
    button(other, "Wait for a free slot").click()
    expect(status(other)).to_contain_text("You are number 1 in the queue.")
    button(page, "Pause").click()
    expect(status(other)).to_contain_text("Listening")
    stop(other)
    button(page, "Resume").click()
    expect(status(page)).to_contain_text("Listening")


def lose_the_engine(camera, site):
    site.inference[0].kill()
    expect(status(camera.page)).to_contain_text("The speech engine was lost")
    camera.look("engine-lost")
    site.add_inference()
    expect(status(camera.page)).to_contain_text("Listening")


def lose_the_network(camera, site):
    camera.page.context.set_offline(True)
    site.web.stop()
    expect(status(camera.page)).to_contain_text("You are offline.")
    camera.look("offline")
    site.web.start()
    site.wait_until_ready()
    camera.page.context.set_offline(False)
    expect(status(camera.page)).to_contain_text("Listening")
