"""Pages do not overflow, and axe finds no violations. `make pictures` checks every page in every theme and size."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import ADMIN, add_login
from tests.support.pages.screenshots import PageChecker

LAYOUTS = [("light", "desktop"), ("dark", "phone")]


@pytest.fixture
def checker(shared_site, users, open_page):
    return PageChecker(open_page(shared_site.url, expect=["status of 404"], reduced_motion="reduce"), layouts=LAYOUTS)


def test_pages_fit_and_are_accessible(checker, shared_site):
    for path in ("", "accounts/login", "accounts/signup", "no-such-page"):
        checker.visit(f"/{path}/".replace("//", "/"), path or "home")
    add_login(checker.page, shared_site, ADMIN)
    checker.page.goto("/live/")
    expect(checker.page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    checker.check("live")
    for path in ("talk", "sessions", "sessions/upload", "voices", "accounts/tokens", "operations"):
        checker.visit(f"/{path}/", path)
    for path in ("approvals", "invitations", "approvals/log", "", "sessions", "2fa"):
        checker.visit(f"/accounts/{path}/".replace("//", "/"), path or "account")
