"""Every page, as it looks: light and dark, on a desk and on a phone. `--pictures FOLDER` keeps what was seen."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import PASSWORD, log_in, start, stop
from tests.support.pages.screenshots import Camera
from tests.support.servers.site import running_site

pytestmark = pytest.mark.slow

EXPECTED = ["the server responded with a status of 4"]  # the pages of errors are looked at, too

PEOPLE = """
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
    began = timezone.now() - timedelta(hours=7 * number)
    session = Session.objects.create(owner=ada, engine='pocketsphinx', language='en', samples=24_000 * (60 + number),
        created_at=began, started_at=began, ended_at=began, opening=' '.join(sentence))
    Segment.objects.create(session=session, index=0, start=0.5, end=6.0, text=' '.join(sentence))
    Word.objects.bulk_create(Word(session=session, segment_index=0, index=i, text=text, start=0.5 + i / 3,
        end=0.8 + i / 3, confidence=(i * 37 % 100) / 100) for i, text in enumerate(sentence))
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with running_site(tmp_path_factory.mktemp("site"), RATE_LIMITS="off", TTS_ENGINE="tones") as site:
        site.shell(PEOPLE % {"password": PASSWORD})
        yield site


@pytest.fixture
def camera(request, site, open_page, speech):
    page = open_page(
        site.url, microphone=speech.wav(48_000, silence_after=60), expect=EXPECTED, reduced_motion="reduce"
    )
    return Camera(page, request.config.getoption("--pictures"))


def test_strangers_see_what_this_is_and_how_to_get_in(camera):
    camera.visit("/", "home")
    camera.visit("/accounts/login/", "log-in")
    camera.page.get_by_role("main").get_by_role("button", name="Log in").click()
    camera.visit("/accounts/signup/", "sign-up")
    camera.visit("/accounts/password/reset/", "password-reset")
    camera.visit("/no-such-page/", "404")
    camera.visit("/accounts/login/", "log-in")
    camera.page.context.clear_cookies()
    camera.page.get_by_label("Email").fill("ada@example.org")
    camera.page.get_by_label("Password").fill(PASSWORD)
    camera.page.get_by_role("main").get_by_role("button", name="Log in").click()
    camera.look("403-csrf")


def test_the_unapproved_see_where_they_stand(camera):
    log_in(camera.page, "grace@example.org")
    expect(camera.page.get_by_role("heading", level=1)).to_have_text("Your account waits for approval")
    camera.look("pending")
    camera.page.get_by_role("main").get_by_role("button", name="Log out").click()
    log_in(camera.page, "eve@example.org")
    expect(camera.page.get_by_role("main")).to_contain_text("We do not know you.")
    camera.look("rejected")


def test_users_make_tokens_for_their_programs(camera):
    page = camera.page
    log_in(page, "ada@example.org")
    camera.visit("/accounts/tokens/", "tokens-none")
    page.get_by_label("Name").fill("My notebook")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("Token", exact=True)).to_have_value(re.compile("^dsm_"))
    camera.look("token-made")
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("table")).to_contain_text("My notebook")
    camera.look("tokens")
    page.get_by_role("button", name="Revoke My notebook").click()
    expect(page.get_by_role("status")).to_contain_text("was revoked")


def test_webhooks_are_made_and_followed(camera):
    page = camera.page
    log_in(page, "ada@example.org")
    camera.visit("/accounts/webhooks/", "webhooks-none")
    page.get_by_label("Address").fill("https://example.org/told")
    page.get_by_label("A session of yours is over").check()
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_role("table")).to_contain_text("test")
    camera.look("webhook")
    camera.visit("/accounts/webhooks/", "webhooks")


def test_the_api_is_described_on_a_page_of_this_site(camera):
    page = camera.page
    log_in(page, "ada@example.org")
    page.goto("/api/v1/docs/")
    page.get_by_text("/api/v1/uploads/", exact=True).first.click()
    expect(page.get_by_text("Execute").or_(page.get_by_text("Try it out")).first).to_be_visible()
    camera.look_at_what_others_made("api-docs")


def test_users_talk_and_find_it_again(site, camera):
    page = camera.page
    log_in(page, "ada@example.org")
    expect(page).to_have_url(f"{site.url}/live/")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    page.get_by_label("Keep the sound").check()
    camera.look("live-idle")
    camera.visit("/sessions/", "sessions-none")
    page.goto("/live/")
    expect(page.get_by_label("Keep the sound")).to_be_checked()
    start(page)
    page.wait_for_timeout(17_000)
    camera.look("live")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    camera.look("live-unfinished")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    stop(page)
    camera.look("live-done")
    page.get_by_role("link", name="Open the session").click()
    page.locator(".word").nth(2).hover()
    camera.look("session")
    look_at_everything_of_a_session(camera)
    camera.visit("/sessions/", "sessions-one")
    site.shell(MANY_SESSIONS)
    camera.visit("/sessions/", "sessions-many")
    page.get_by_label("Tick", exact=False).nth(3).check()
    page.locator(".finder__more summary").click()
    camera.look("sessions-ticked")
    page.get_by_role("button", name="Delete", exact=True).click()
    camera.look("sessions-undo")
    camera.visit("/sessions/?q=garden", "sessions-found")
    camera.visit("/sessions/?q=diamond", "sessions-not-found")
    camera.visit("/sessions/deleted/", "sessions-deleted")
    camera.visit("/accounts/data/", "your-data")
    camera.visit("/accounts/approvals/", "403")


def test_voices_are_chosen_and_heard(camera):
    page = camera.page
    log_in(page, "ada@example.org")
    camera.visit("/voices/", "voices")
    page.get_by_label("Compare with").select_option("tones/low")
    page.get_by_label("Text", exact=True).fill("A first sentence. And 😀 a second one, which is spoken after it.")
    page.get_by_role("button", name="Speak", exact=True).click()
    expect(page.get_by_role("region", name="Made before").get_by_role("listitem")).to_have_count(2, timeout=15_000)
    camera.look("voices-spoken")


def look_at_everything_of_a_session(camera):
    page = camera.page
    page.get_by_role("button", name="Correct").click()
    page.get_by_label("What was said").fill("It is corrected.")
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_role("button", name="Find and replace").click()
    page.get_by_label("Find", exact=True).fill("the")
    camera.look("session-replace")
    page.get_by_role("button", name="Close").click()
    page.locator("#changes summary").click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_role("link", name="Share").click()
    page.get_by_label("With the sound").check()
    page.get_by_role("button", name="Make a link").click()
    page.locator("#changes summary").click()
    page.locator("#details summary").click()
    camera.look("session-panels")
    camera.visit(page.locator(".share__link").input_value(), "shared")


def test_accounts_are_looked_after(camera):
    log_in(camera.page, "admin@example.org")
    camera.visit("/accounts/approvals/", "approvals")
    camera.page.get_by_role("button", name="Approve edsger@example.org").click()
    camera.look("approvals-decided")
    camera.visit("/accounts/email/", "email")
    camera.visit("/accounts/password/change/", "password-change")
    camera.visit("/accounts/reauthenticate/", "reauthenticate")
    camera.visit("/accounts/close/", "close-account-asks")
    camera.page.get_by_label("Password").fill(PASSWORD)
    camera.page.get_by_role("main").get_by_role("button", name="Confirm").click()
    camera.look("close-account")
    camera.visit("/accounts/", "account")
    camera.visit("/accounts/sessions/", "browsers")
    camera.visit("/accounts/2fa/", "second-factor")
    camera.visit("/accounts/2fa/totp/activate/", "authenticator")
    camera.visit("/accounts/2fa/webauthn/add/", "passkey")
    camera.visit("/accounts/approvals/decisions/", "decisions")
    camera.visit("/operations/", "operations")
    camera.page.goto("/accounts/invitations/")
    camera.page.get_by_label("For whom").fill("Grace")
    camera.page.get_by_role("button", name="Make a link").click()
    camera.look("invitation-made")
    camera.visit("/accounts/invitations/", "invitations")
    camera.visit("/accounts/logout/", "log-out")
