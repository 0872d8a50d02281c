"""What people do on the site's pages, by the names that the pages show them."""

from playwright.sync_api import Locator, Page, expect

from tests.support.servers.site import Site

PASSWORD = "a passphrase nobody guesses"
ADMIN = "admin@example.org"

APPROVED = """
from django.contrib.auth.hashers import make_password
from accounts.models import User
password = make_password({secret!r})
User.objects.create_superuser({admin!r}, {secret!r})
User.objects.bulk_create(User(email=email, password=password, status='approved') for email in {emails!r})
"""


class Crowd:
    """People who were approved on a site that several tests share: one for each test, who has no past there; and the
    administrator, whose email address is `ADMIN`."""

    def __init__(self, site: Site, count: int = 20) -> None:
        emails = [f"person-{number}@example.org" for number in range(count)]
        site.shell(APPROVED.format(admin=ADMIN, secret=PASSWORD, emails=emails))
        self._strangers = iter(emails)

    def next(self) -> str:
        """An email address; its password is `PASSWORD`."""
        return next(self._strangers)


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


def start(page: Page) -> None:
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()


def stop(page: Page) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(status(page)).to_contain_text("Stored", timeout=60_000)


def status(page: Page) -> Locator:
    """Where the live page tells its state."""
    return page.get_by_role("region", name="Recording").get_by_role("status")


def transcript(page: Page) -> str:
    """The final words on the screen."""
    words = page.get_by_role("log", name="Transcript").locator(".word").all_text_contents()
    return " ".join(words)


def take_away(page: Page, format: str) -> None:
    """Press a format in the download menu of a session, or of the list, which may be open from the last time."""
    menu = page.get_by_role("main").locator("details", has=page.locator("summary", has_text="Download")).last
    if menu.get_attribute("open") is None:
        menu.locator("summary").click()
    menu.get_by_role("button", name=format).click()
