import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import log_in, sign_up, start, status

pytestmark = pytest.mark.slow


def test_a_new_user_waits_is_approved_transcribes_and_is_rejected_while_transcribing(
    start_either_site, open_page, speech
):
    site = start_either_site(STT_SLOTS="2")
    microphone = speech.wav(48_000, silence_after=60)
    admin = open_page(site.url)
    sign_up(admin, "admin@example.org")
    expect(admin).to_have_url(f"{site.url}/live/")

    newcomer = open_page(site.url, microphone=microphone)
    sign_up(newcomer, "newcomer@example.org")
    expect(newcomer.get_by_role("heading", level=1)).to_have_text("Your account is awaiting approval")

    admin.goto("/accounts/approvals/")
    admin.get_by_role("button", name="Approve newcomer@example.org").click()
    expect(newcomer).to_have_url(f"{site.url}/live/")  # automatically

    start(newcomer)
    spoken = re.compile("|".join(speech.text.split()[2:6]))
    expect(newcomer.locator(".tail, .word").filter(has_text=spoken).first).to_be_visible()
    admin.get_by_label("Reason").last.fill("This was a test.")
    admin.get_by_role("button", name="Reject newcomer@example.org").click()
    expect(status(newcomer)).to_contain_text("This was a test.")
    newcomer.get_by_role("link", name="Check your account status").click()
    log_in(newcomer, "newcomer@example.org")  # a rejected user was logged out everywhere
    expect(newcomer.get_by_role("heading", level=1)).to_have_text("Your account was not approved")
    expect(newcomer.get_by_role("main")).to_contain_text("This was a test.")
    newcomer.goto("/sessions/")
    expect(newcomer).to_have_url(f"{site.url}/accounts/status/")
