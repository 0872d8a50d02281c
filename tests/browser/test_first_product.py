"""The first user signs up, speaks, reads along and opens the session; a second user waits for approval."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import log_in, sign_up, start, status, stop, transcript
from tests.support.servers.site import running_site
from tests.support.speech.words import word_error_rate

MAX_WORD_ERROR_RATE = 0.2
"""Maximum word error rate; the engine makes no error if nothing disturbs it."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), from_nothing=True) as site:
        yield site


def test_the_first_user_transcribes_and_a_second_user_is_approved_and_rejected(site, open_page, sentence):
    page = open_page(site.url, microphone=sentence.wav(48_000, silence_after=60))
    sign_up(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    start(page)
    page.wait_for_timeout(1000 * (sentence.seconds + 2))
    stop(page)
    shown = transcript(page)
    assert word_error_rate(sentence.text, shown) <= MAX_WORD_ERROR_RATE
    page.get_by_role("link", name="Open the session").click()
    expect(page.locator(".word")).to_have_text(shown.split())

    second = open_page(site.url)
    sign_up(second, "grace@example.org")
    expect(second.get_by_role("heading", level=1)).to_have_text("Your account is awaiting approval")
    second.goto("/sessions/")
    expect(second).to_have_url(f"{site.url}/accounts/status/")
    page.goto("/accounts/approvals/")
    page.get_by_role("button", name="Approve grace@example.org").click()
    expect(second).to_have_url(f"{site.url}/live/")  # automatically
    second.get_by_role("button", name="Start", exact=True).click()
    expect(status(second)).to_contain_text("Listening")
    page.get_by_label("Reason").last.fill("This was a test.")
    page.get_by_role("button", name="Reject grace@example.org").click()
    expect(status(second)).to_contain_text("This was a test.")
    second.goto("/sessions/")
    expect(second).to_have_url(re.compile("/accounts/login/"))
    log_in(second, "grace@example.org")
    expect(second.get_by_role("main")).to_contain_text("This was a test.")
