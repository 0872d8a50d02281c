"""Taking transcripts away with the browser: each format of a session, and many sessions at once."""

import zipfile

import pytest
from playwright.sync_api import expect

from speech.library.exports import FORMATS
from tests.browser.slow.test_pages import MANY_SESSIONS, PEOPLE
from tests.support.pages.page_actions import PASSWORD, log_in, take_away
from tests.support.pages.screenshots import Camera
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off", STT_ENGINE="checksum") as site:
        site.shell(PEOPLE % {"password": PASSWORD} + MANY_SESSIONS)
        yield site


@pytest.fixture
def page(site, open_page):
    page = open_page(site.url, reduced_motion="reduce")
    log_in(page, "ada@example.org")
    return page


def test_a_session_in_every_format(page):
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    for format in FORMATS.values():
        with page.expect_download() as download:
            take_away(page, f"{format.label} .{format.extension}")
        assert download.value.suggested_filename.endswith(f".{format.extension}")
        assert download.value.path().stat().st_size
        page.keyboard.press("Escape")


def test_options_are_ticked_in_the_menu(page):
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    page.get_by_label("Times").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Plain text .txt").click()
    assert "[0:0" not in download.value.path().read_text()


def test_ticked_sessions_and_all_of_them(page):
    page.goto("/sessions/")
    for box in page.get_by_role("checkbox", name="Tick We").all()[:3]:
        box.check()
    expect(page.get_by_text("3 ticked")).to_be_visible()
    assert files_in(page, "Subtitles .srt") == 3
    page.get_by_text("3 ticked").click()
    page.get_by_text("30 ticked").click()
    expect(page.get_by_text("Tick all")).to_be_visible()
    assert files_in(page, "Subtitles .srt") == 200


def files_in(page, format):
    with page.expect_download() as download:
        take_away(page, format)
    page.keyboard.press("Escape")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        return len(archive.namelist())


def test_the_menus_look_right(page, request):
    camera = Camera(page, request.config.getoption("--pictures"))
    page.goto("/sessions/")
    page.get_by_role("checkbox", name="Tick We").first.check()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    camera.look("sessions-download")
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    camera.look("session-download")
