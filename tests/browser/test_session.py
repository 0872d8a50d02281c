"""A session is searched, played, edited, downloaded and shared."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from speech.library.exports import FORMATS
from tests.support.pages.page_actions import add_login, choose_download
from tests.support.speech.recorded_session import speak

IS_PLAYING = (
    "() => { const { played, paused } = document.getElementById('audio'); return played.length > 0 && !paused }"
)
PLAYBACK_START = "() => { const { played } = document.getElementById('audio'); return played.start(played.length - 1) }"
TOLERANCE = 0.1  # seconds from the start of a word


@pytest.fixture(scope="module")
def ada(users):
    return users.next()


@pytest.fixture(scope="module")
def address(shared_site, ada, excerpt):
    """URL path of a session of the logged-in user."""
    return f"/sessions/{speak(shared_site, excerpt, ada)}/"


@pytest.fixture
def page(shared_site, ada, address, open_page):
    page = open_page(shared_site.url)
    add_login(page, shared_site, ada)
    page.goto(address)
    return page


def start_of(word):
    return float(word.get_attribute("data-start"))


def test_search_jumps_to_the_word_and_a_click_plays_from_it(address, page):
    text = page.locator(".word").nth(20).text_content()
    page.goto("/sessions/")
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark")).to_have_text(text)
    page.get_by_role("link", name=text).click()
    word = page.locator(".word--found")
    expect(word).to_have_text(text)
    expect(word).to_be_in_viewport()
    page.goto(address)
    word = page.locator(".word").nth(5)
    word.click()
    page.wait_for_function(IS_PLAYING)
    assert page.evaluate(PLAYBACK_START) == pytest.approx(start_of(word), abs=TOLERANCE)


def test_an_edit_survives_a_reload_keeps_word_times_and_can_be_undone(page):
    segment = page.locator(".segment").first
    before = segment.locator(".word").all_text_contents()
    times = [start_of(word) for word in segment.locator(".word").all()]
    segment.locator(".word").first.hover()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Text", exact=True).fill(" ".join(["Amid", *before[1:]]))
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".segment").first.locator(".word").first).to_have_text("Amid")
    page.reload()
    edited = page.locator(".segment").first
    expect(edited.locator(".word")).to_have_text(["Amid", *before[1:]])
    assert [start_of(word) for word in edited.locator(".word").all()] == times
    page.locator("#changes summary").click()
    page.get_by_role("button", name="Undo").first.click()
    expect(edited.locator(".word")).to_have_text(before)


def test_matches_are_highlighted_and_replaced(page):
    word = re.sub(r"\W", "", page.locator(".word").first.text_content())
    page.get_by_role("button", name="Find and replace").click()
    page.get_by_label("Find", exact=True).fill(word)
    expect(page.get_by_role("form", name="Find and replace").get_by_role("status")).to_have_text(
        re.compile("[1-9][0-9]* found")
    )
    assert page.evaluate("[...CSS.highlights.get('sought')].map(String)")[0] == word
    page.get_by_label("Find", exact=True).press("Enter")
    page.get_by_label("Replace with").fill("Amid")
    page.get_by_role("button", name="Replace all").click()
    expect(page.get_by_role("status").first).to_contain_text(f"Replaced “{word}”")
    expect(page.locator(".word").first).to_have_text(re.compile("^Amid"))
    page.locator("#changes summary").click()
    page.get_by_role("button", name="Undo: Replaced all").click()
    expect(page.locator(".word").first).to_have_text(re.compile(f"^{word}"))


def test_a_session_is_downloaded_in_every_format(page):
    for format in FORMATS.values():
        with page.expect_download() as download:
            choose_download(page, f"{format.label} .{format.extension}")
        assert download.value.suggested_filename.endswith(f".{format.extension}")
        assert Path(download.value.path()).stat().st_size


def test_a_share_link_works_without_an_account_until_it_is_revoked(shared_site, page, open_page):
    page.get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    link = page.locator(".share__link").input_value()
    reader = open_page(shared_site.url, expect=["status of 404"])
    reader.goto(link)
    expect(reader.locator(".word").first).to_have_text(page.locator(".word").first.text_content())
    expect(reader.get_by_role("button", name="Edit", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name=re.compile("^Revoke"))).to_have_count(0)
    assert reader.goto(link).status == 404


def test_back_after_a_logout_shows_no_transcript(shared_site, page):
    expect(page.locator(".word").first).to_be_visible()
    page.locator("form[action='/accounts/logout/']").evaluate("form => form.requestSubmit()")
    expect(page).to_have_url(f"{shared_site.url}/")
    page.go_back()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(page.locator(".word")).to_have_count(0)
