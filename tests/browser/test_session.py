"""A session is found again, listened to, corrected, taken away and shared."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from speech.library.exports import FORMATS
from tests.support.pages.page_actions import log_in, take_away
from tests.support.speech.recorded_session import speak

PLAYS = "() => { const sound = document.getElementById('sound'); return sound.played.length > 0 && !sound.paused }"
BEGAN = "() => { const { played } = document.getElementById('sound'); return played.start(played.length - 1) }"
NEAR = 0.1  # seconds from where a word begins


@pytest.fixture(scope="module")
def ada(crowd):
    return crowd.next()


@pytest.fixture(scope="module")
def address(shared_site, ada, opening):
    """Of a session of hers."""
    return f"/sessions/{speak(shared_site, opening, ada)}/"


@pytest.fixture
def page(shared_site, ada, address, open_page):
    page = open_page(shared_site.url)
    log_in(page, ada)
    expect(page).to_have_url(f"{shared_site.url}/live/")
    page.goto(address)
    return page


def begins(word):
    return float(word.get_attribute("data-start"))


def test_search_jumps_to_the_word_and_a_click_plays_from_it(address, page):
    said = page.locator(".word").nth(20).text_content()
    page.goto("/sessions/")
    page.get_by_role("searchbox").fill(said)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("mark")).to_have_text(said)
    page.get_by_role("link", name=said).click()
    word = page.locator(".word--found")
    expect(word).to_have_text(said)
    expect(word).to_be_in_viewport()
    page.goto(address)
    word = page.locator(".word").nth(5)
    word.click()
    page.wait_for_function(PLAYS)
    assert page.evaluate(BEGAN) == pytest.approx(begins(word), abs=NEAR)


def test_an_edit_survives_a_reload_keeps_the_times_and_can_be_undone(page):
    utterance = page.locator(".utterance").first
    before = utterance.locator(".word").all_text_contents()
    times = [begins(word) for word in utterance.locator(".word").all()]
    utterance.locator(".word").first.hover()
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("What was said").fill(" ".join(["Amid", *before[1:]]))
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.locator(".utterance").first.locator(".word").first).to_have_text("Amid")
    page.reload()
    corrected = page.locator(".utterance").first
    expect(corrected.locator(".word")).to_have_text(["Amid", *before[1:]])
    assert [begins(word) for word in corrected.locator(".word").all()] == times
    page.locator("#changes summary").click()
    page.get_by_role("button", name="Undo").first.click()
    expect(corrected.locator(".word")).to_have_text(before)


def test_what_is_looked_for_is_shown_and_replaced_all_at_once(page):
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
    expect(page.get_by_role("status").first).to_contain_text(f"“{word}” was replaced")
    expect(page.locator(".word").first).to_have_text(re.compile("^Amid"))
    page.locator("#changes summary").click()
    page.get_by_role("button", name="Undo: Replaced throughout").click()
    expect(page.locator(".word").first).to_have_text(re.compile(f"^{word}"))


def test_it_is_taken_away_in_every_format(page):
    for format in FORMATS.values():
        with page.expect_download() as download:
            take_away(page, f"{format.label} .{format.extension}")
        assert download.value.suggested_filename.endswith(f".{format.extension}")
        assert Path(download.value.path()).stat().st_size


def test_a_share_link_opens_for_anybody_and_dies_when_it_is_revoked(shared_site, page, open_page):
    page.get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.locator(".share__link").input_value()
    reader = open_page(shared_site.url, expect=["status of 404"])
    reader.goto(link)
    expect(reader.locator(".word").first).to_have_text(page.locator(".word").first.text_content())
    expect(reader.get_by_role("button", name="Correct")).to_have_count(0)
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name=re.compile("^Revoke"))).to_have_count(0)
    assert reader.goto(link).status == 404
