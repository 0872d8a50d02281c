"""The live page in every state that it may get into, with an engine whose words prove every sample."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import Crowd, log_in, status, stop, transcript
from tests.support.pages.screenshots import LOOKS, Camera
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow


@pytest.fixture
def site(tmp_path_factory, redis_server):
    env = {"STT_ENGINE": "checksum", "STT_SLOTS": "1", "REDIS_URL": redis_server.url, "RATE_LIMITS": "off"}
    with running_site(tmp_path_factory.mktemp("site"), 1, **env) as site:
        yield site


@pytest.fixture
def arrive(request, site, open_page, opening):
    """Somebody opens the live page: a camera that looks at it."""
    crowd = Crowd(site)
    pictures = request.config.getoption("--pictures")
    sound = opening.wav(48_000, silence_after=60)
    lost = ["WebSocket", "Failed to load", "ERR_"]

    def arrive():
        page = open_page(site.url, microphone=sound, expect=lost, reduced_motion="reduce")
        log_in(page, crowd.next())
        return Camera(page, pictures, LOOKS if pictures else [("dark", "phone")])

    return arrive


def button(page, name):
    return page.get_by_role("button", name=name, exact=True)


def test_every_state_says_what_happened_and_leads_on(site, arrive):
    camera = arrive()
    page = camera.page
    page.context.clear_permissions()
    button(page, "Start").click()
    expect(status(page)).to_contain_text("The microphone is not allowed.")
    camera.look("state-not-allowed")

    page.context.grant_permissions(["microphone"])
    button(page, "Try again").click()
    expect(status(page)).to_contain_text("Listening")
    page.get_by_label("Title of the session").fill("Minutes of the board")

    queue_up_behind(page, arrive())
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


def queue_up_behind(page, camera):
    """The only slot is taken: somebody else waits for it, and has it once it is free."""
    other = camera.page
    button(other, "Start").click()
    expect(status(other)).to_contain_text("All places are taken.")
    camera.look("state-full")
    button(other, "Wait for a free place").click()
    expect(status(other)).to_contain_text("You are number 1 in the queue.")
    camera.look("state-queued")
    button(page, "Pause").click()
    expect(status(other)).to_contain_text("Listening")
    stop(other)
    button(page, "Resume").click()
    expect(status(page)).to_contain_text("Listening")


def lose_the_engine(camera, site):
    site.inference[0].kill()
    expect(status(camera.page)).to_contain_text("The speech engine was lost")
    camera.look("state-engine-lost")
    site.add_inference()
    expect(status(camera.page)).to_contain_text("Listening")


def lose_the_network(camera, site):
    camera.page.context.set_offline(True)
    site.web.stop()
    expect(status(camera.page)).to_contain_text("You are offline.")
    camera.look("state-offline")
    site.web.start()
    site.wait_until_ready()
    camera.page.context.set_offline(False)
    expect(status(camera.page)).to_contain_text("Listening")
