"""Layout and accessibility of every page: light and dark, desktop and phone. `--pictures FOLDER` saves screenshots."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import PASSWORD, log_in, start, stop
from tests.support.pages.screenshots import PageChecker
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow

EXPECTED = ["the server responded with a status of 4"]  # error pages are checked too

USERS = """
from accounts.models import User
admin = User.objects.create_superuser('admin@example.org', '%(password)s')
User.objects.create_user('ada@example.org', '%(password)s', status='approved')
User.objects.create_user('grace@example.org', '%(password)s')
User.objects.create_user('edsger@example.org', '%(password)s')
User.objects.create_user('eve@example.org', '%(password)s').reject(admin, 'We do not know you. Write to us first.')
"""
MANY_SESSIONS = """
from datetime import timedelta
from django.utils import timezone
from accounts.models import User
from speech.models import Segment, Session, Word
ada = User.objects.get(email='ada@example.org')
sentence = 'we met at noon and spoke about the garden the bridge and the long way home'.split()
for number in range(200):
    started_at = timezone.now() - timedelta(hours=7 * number)
    session = Session.objects.create(owner=ada, engine='pocketsphinx', language='en', samples=24_000 * (60 + number),
        created_at=started_at, started_at=started_at, ended_at=started_at, opening=' '.join(sentence))
    Segment.objects.create(session=session, index=0, start=0.5, end=6.0, text=' '.join(sentence))
    Word.objects.bulk_create(Word(session=session, segment_index=0, index=i, text=text, start=0.5 + i / 3,
        end=0.8 + i / 3, confidence=(i * 37 % 100) / 100) for i, text in enumerate(sentence))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off", TTS_ENGINE="tones") as site:
        site.shell(USERS % {"password": PASSWORD})
        yield site


@pytest.fixture
def checker(request, site, open_page, speech):
    page = open_page(
        site.url, microphone=speech.wav(48_000, silence_after=60), expect=EXPECTED, reduced_motion="reduce"
    )
    return PageChecker(page, request.config.getoption("--pictures"))


def test_pages_without_a_login(checker):
    checker.visit("/", "home")
    checker.visit("/accounts/login/", "log-in")
    checker.page.get_by_role("main").get_by_role("button", name="Log in").click()
    checker.visit("/accounts/signup/", "sign-up")
    checker.visit("/accounts/password/reset/", "password-reset")
    checker.visit("/no-such-page/", "404")
    checker.visit("/accounts/login/", "log-in")
    checker.page.context.clear_cookies()
    checker.page.get_by_label("Email").fill("ada@example.org")
    checker.page.get_by_label("Password").fill(PASSWORD)
    checker.page.get_by_role("main").get_by_role("button", name="Log in").click()
    checker.check("403-csrf")


def test_accounts_that_are_not_approved_see_their_status(checker):
    log_in(checker.page, "grace@example.org")
    expect(checker.page.get_by_role("heading", level=1)).to_have_text("Your account is awaiting approval")
    checker.check("pending")
    checker.page.get_by_role("main").get_by_role("button", name="Log out").click()
    log_in(checker.page, "eve@example.org")
    expect(checker.page.get_by_role("main")).to_contain_text("We do not know you.")
    checker.check("rejected")


def test_users_create_and_revoke_tokens(checker):
    page = checker.page
    log_in(page, "ada@example.org")
    checker.visit("/accounts/tokens/", "tokens-none")
    page.get_by_label("Name").fill("My notebook")
    page.get_by_role("button", name="Create token").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^dsm_"))
    checker.check("token-created")
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("table")).to_contain_text("My notebook")
    checker.check("tokens")
    page.get_by_role("button", name="Revoke My notebook").click()
    expect(page.get_by_role("status")).to_contain_text("was revoked")


def test_webhooks_are_created_and_tested(checker):
    page = checker.page
    log_in(page, "ada@example.org")
    checker.visit("/accounts/webhooks/", "webhooks-none")
    page.get_by_label("URL").fill("https://example.org/hook")
    page.get_by_label("Session finished").check()
    page.get_by_role("button", name="Create webhook").click()
    page.get_by_role("button", name="Send test event").click()
    expect(page.get_by_role("table")).to_contain_text("test")
    checker.check("webhook")
    checker.visit("/accounts/webhooks/", "webhooks")


def test_the_api_documentation_page(checker):
    page = checker.page
    log_in(page, "ada@example.org")
    page.goto("/api/v1/docs/")
    page.get_by_text("/api/v1/uploads/", exact=True).first.click()
    expect(page.get_by_text("Execute").or_(page.get_by_text("Try it out")).first).to_be_visible()
    checker.check_layout("api-docs")


@pytest.mark.timeout(400)  # visits some twenty pages in both themes and widths
def test_users_transcribe_and_open_the_session(site, checker):
    page = checker.page
    log_in(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    page.get_by_label("Save audio").check()
    checker.check("live-idle")
    checker.visit("/talk/", "talk")
    checker.visit("/sessions/", "sessions-none")
    page.goto("/live/")
    expect(page.get_by_label("Save audio")).to_be_checked()
    start(page)
    page.wait_for_timeout(17_000)
    checker.check("live")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    checker.check("live-unfinished")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    stop(page)
    checker.check("live-done")
    page.get_by_role("link", name="Open the session").click()
    page.locator(".word").nth(2).hover()
    checker.check("session")
    check_all_panels_of_a_session(checker)
    checker.visit("/sessions/", "sessions-one")
    site.shell(MANY_SESSIONS)
    checker.visit("/sessions/", "sessions-many")
    page.get_by_role("checkbox", name="Select We").nth(3).check()
    page.locator(".finder__more summary").click()
    checker.check("sessions-selected")
    page.get_by_role("button", name="Delete", exact=True).click()
    checker.check("sessions-undo")
    checker.visit("/sessions/?q=garden", "sessions-found")
    checker.visit("/sessions/?q=diamond", "sessions-not-found")
    checker.visit("/sessions/deleted/", "sessions-deleted")
    checker.visit("/accounts/data/", "your-data")
    checker.visit("/accounts/approvals/", "403")


def test_voices_are_chosen_and_played(checker):
    page = checker.page
    log_in(page, "ada@example.org")
    checker.visit("/voices/", "voices")
    page.get_by_label("Compare with").select_option("tones/low")
    page.get_by_role("textbox", name="Text", exact=True).fill(
        "A first sentence. And 😀 a second one, which is spoken after it."
    )
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(2, timeout=15_000)
    checker.check("voices-spoken")


def check_all_panels_of_a_session(checker):
    page = checker.page
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Text", exact=True).fill("It is corrected.")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("button", name="Find and replace").click()
    page.get_by_label("Find", exact=True).fill("the")
    checker.check("session-replace")
    page.get_by_role("button", name="Close").click()
    page.locator("#changes summary").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Include audio").check()
    page.get_by_role("button", name="Create link").click()
    page.locator("#changes summary").click()
    page.locator("#details summary").click()
    checker.check("session-panels")
    checker.visit(page.locator(".share__link").input_value(), "shared")


def test_account_pages(checker):
    log_in(checker.page, "admin@example.org")
    checker.visit("/accounts/approvals/", "approvals")
    checker.page.get_by_role("button", name="Approve edsger@example.org").click()
    checker.check("approvals-undo")
    checker.visit("/accounts/email/", "email")
    checker.visit("/accounts/password/change/", "password-change")
    checker.visit("/accounts/reauthenticate/", "reauthenticate")
    checker.visit("/accounts/close/", "close-account-asks")
    checker.page.get_by_label("Password").fill(PASSWORD)
    checker.page.get_by_role("main").get_by_role("button", name="Confirm").click()
    checker.check("close-account")
    checker.visit("/accounts/", "account")
    checker.visit("/accounts/sessions/", "browsers")
    checker.visit("/accounts/2fa/", "second-factor")
    checker.visit("/accounts/2fa/totp/activate/", "authenticator")
    checker.visit("/accounts/2fa/webauthn/add/", "passkey")
    checker.visit("/accounts/approvals/log/", "approval-log")
    checker.visit("/operations/", "operations")
    checker.page.goto("/accounts/invitations/")
    checker.page.get_by_label("Recipient").fill("Grace")
    checker.page.get_by_role("button", name="Create link").click()
    checker.check("invitation-created")
    checker.visit("/accounts/invitations/", "invitations")
    checker.visit("/accounts/logout/", "log-out")
