"""User actions on the site's pages, by accessible names."""

from playwright.sync_api import Locator, Page, expect

from tests.support.clients.uploads import LOG_IN
from tests.support.servers.site import Site

PASSWORD = "a passphrase that is hard to guess"
ADMIN = "admin@example.org"

CREATE_USERS = """
from django.contrib.auth.hashers import make_password
from accounts.models import User
password = make_password({secret!r})
User.objects.create_superuser({admin!r}, {secret!r})
User.objects.bulk_create(User(email=email, password=password, status='approved') for email in {emails!r})
"""


class ApprovedUsers:
    """Approved users of a site that several tests share, so that each test has its own user without earlier data; and
    an administrator, `ADMIN`."""

    def __init__(self, site: Site, count: int = 20) -> None:
        emails = [f"user-{number}@example.org" for number in range(count)]
        site.shell(CREATE_USERS.format(admin=ADMIN, secret=PASSWORD, emails=emails))
        self._unused = iter(emails)

    def next(self) -> str:
        """Return the email address of an unused account; its password is `PASSWORD`."""
        return next(self._unused)


def sign_up(page: Page, email: str) -> None:
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password (again)").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign up").click()


def log_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in", exact=True).click()


def add_login(page: Page, site: Site, email: str) -> None:
    """Give the page the cookie of a login of this account, created if needed, instead of opening the login page."""
    cookie = {"name": "sessionid", "value": site.shell(LOG_IN.format(email=email)), "url": site.url}
    page.context.add_cookies([cookie])


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(status(page)).to_contain_text("Saved", timeout=60_000)


def status(page: Page) -> Locator:
    """The live page's status region."""
    return page.get_by_role("region", name="Recording").get_by_role("status")


def transcript(page: Page) -> str:
    """Return the final words on the page."""
    words = page.get_by_role("log", name="Transcript").locator(".word").all_text_contents()
    return " ".join(words)


def choose_download(page: Page, format: str) -> None:
    """Click a format in the download menu of a session or of the list; the menu may already be open."""
    menu = page.get_by_role("main").locator("details", has=page.locator("summary", has_text="Download")).last
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.get_by_role("button", name=format).click()
