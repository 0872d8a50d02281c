"""Pages as they look: nothing sticks out at the side, and axe finds nothing to complain about. Every page in every
theme and size is looked at by `make pictures`."""

import pytest
from playwright.sync_api import expect

from tests.support.pages.page_actions import ADMIN, log_in
from tests.support.pages.screenshots import Camera

LOOKS = [("light", "desk"), ("dark", "phone")]


@pytest.fixture
def camera(shared_site, crowd, open_page):
    return Camera(open_page(shared_site.url, expect=["status of 404"], reduced_motion="reduce"), looks=LOOKS)


def test_pages_fit_and_are_accessible(camera):
    for path in ("", "accounts/login", "accounts/signup", "no-such-page"):
        camera.visit(f"/{path}/".replace("//", "/"), path or "home")
    log_in(camera.page, ADMIN)
    expect(camera.page.get_by_role("button", name="Start", exact=True)).to_be_enabled()
    camera.look("live")
    for path in ("sessions", "sessions/upload", "voices", "accounts/tokens", "operations"):
        camera.visit(f"/{path}/", path)
    for path in ("approvals", "invitations", "approvals/decisions", "", "sessions", "2fa"):
        camera.visit(f"/accounts/{path}/".replace("//", "/"), path or "account")
