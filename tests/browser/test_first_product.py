"""Sign up, talk, read along, find it again; and somebody else, who waits to be let in."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import log_in, sign_up, start, status, stop, transcript
from tests.support.servers.site import running_site
from tests.support.speech.words import word_error_rate

WORD_ERRORS = 0.2
"""The engine has none wrong where nothing disturbs it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), from_nothing=True) as site:
        yield site


def test_a_newcomer_talks_and_reads_along_and_another_is_let_in(site, open_page, opening):
    page = open_page(site.url, microphone=opening.wav(48_000, silence_after=60))
    sign_up(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    start(page)
    page.wait_for_timeout(1000 * (opening.seconds + 2))
    stop(page)
    shown = transcript(page)
    assert word_error_rate(opening.text, shown) <= WORD_ERRORS
    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown.split())

    newcomer = open_page(site.url)
    sign_up(newcomer, "grace@example.org")
    expect(newcomer.get_by_role("heading", level=1)).to_have_text("Your account waits for approval")
    newcomer.goto("/sessions/")
    expect(newcomer).to_have_url(f"{site.url}/accounts/standing/")
    page.goto("/accounts/approvals/")
    page.get_by_role("button", name="Approve grace@example.org").click()
    expect(newcomer).to_have_url(f"{site.url}/live/")  # by itself
    newcomer.get_by_role("button", name="Start", exact=True).click()
    expect(status(newcomer)).to_contain_text("Listening")
    page.get_by_label("Reason").last.fill("This was a test.")
    page.get_by_role("button", name="Reject grace@example.org").click()
    expect(status(newcomer)).to_contain_text("This was a test.")
    newcomer.goto("/sessions/")
    expect(newcomer).to_have_url(re.compile("/accounts/login/"))
    log_in(newcomer, "grace@example.org")
    expect(newcomer.get_by_role("main")).to_contain_text("This was a test.")
