"""Downloads: each format of a session, and several sessions at once."""

import zipfile

import pytest
from playwright.sync_api import expect

from speech.library.exports import FORMATS
from tests.browser.slow.test_pages import MANY_SESSIONS, USERS
from tests.support.pages.page_actions import PASSWORD, choose_download, log_in
from tests.support.pages.screenshots import PageChecker
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off", STT_ENGINE="checksum") as site:
        site.shell(USERS % {"password": PASSWORD} + MANY_SESSIONS)
        yield site


@pytest.fixture
def page(site, open_page):
    page = open_page(site.url, reduced_motion="reduce")
    log_in(page, "ada@example.org")
    return page


def test_a_session_is_downloaded_in_every_format(page):
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    for format in FORMATS.values():
        with page.expect_download() as download:
            choose_download(page, f"{format.label} .{format.extension}")
        assert download.value.suggested_filename.endswith(f".{format.extension}")
        assert download.value.path().stat().st_size
        page.keyboard.press("Escape")


def test_options_are_selected_in_the_menu(page):
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    page.get_by_label("Times").uncheck()
    with page.expect_download() as download:
        page.get_by_role("button", name="Plain text .txt").click()
    assert "[0:0" not in download.value.path().read_text()


def test_selected_or_all_sessions_are_downloaded(page):
    page.goto("/sessions/")
    for box in page.get_by_role("checkbox", name="Select We").all()[:3]:
        box.check()
    expect(page.get_by_text("3 selected")).to_be_visible()
    assert files_in(page, "Subtitles .srt") == 3
    page.get_by_text("3 selected").click()
    page.get_by_text("30 selected").click()
    expect(page.get_by_text("Select all")).to_be_visible()
    assert files_in(page, "Subtitles .srt") == 200


def files_in(page, format):
    with page.expect_download() as download:
        choose_download(page, format)
    page.keyboard.press("Escape")
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        return len(archive.namelist())


def test_the_menus_fit_and_are_accessible(page, request):
    checker = PageChecker(page, request.config.getoption("--pictures"))
    page.goto("/sessions/")
    page.get_by_role("checkbox", name="Select We").first.check()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    checker.check("sessions-download")
    page.goto("/sessions/")
    page.locator(".entry a").first.click()
    page.get_by_role("main").locator("summary", has_text="Download").click()
    checker.check("session-download")
