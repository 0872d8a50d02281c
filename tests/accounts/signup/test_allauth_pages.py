import re

import pytest
from django.template.loader import get_template
from django.test import Client

OPEN = [
    "login",
    "signup",
    "password/reset",
    "password/reset/done",
    "password/reset/key/done",
    "confirm-email",
    "inactive",
]
ACCOUNT_PAGES = ["email", "password/change", "logout", "reauthenticate", "2fa", "sessions"]
REAUTHENTICATED = ["2fa/totp/activate", "2fa/webauthn", "2fa/webauthn/add"]
BROKEN_LINKS = ["password/reset/key/1-broken", "confirm-email/broken"]


@pytest.mark.parametrize("page", OPEN + BROKEN_LINKS)
def test_public_pages_use_the_sites_layout(db, page):
    _assert_uses_the_sites_layout(Client().get(f"/accounts/{page}/"))


@pytest.mark.parametrize("page", ACCOUNT_PAGES)
@pytest.mark.parametrize("status", ["pending", "approved", "rejected"])
def test_account_pages_use_the_sites_layout_for_every_status(make_user, log_in, page, status):
    _assert_uses_the_sites_layout(log_in(make_user(status)).get(f"/accounts/{page}/"))


@pytest.mark.parametrize("page", REAUTHENTICATED)
def test_two_factor_pages_use_the_sites_layout(make_user, log_in_with_password, page):
    _assert_uses_the_sites_layout(log_in_with_password(make_user("approved")).get(f"/accounts/{page}/"))


def test_the_page_to_set_a_password_uses_the_sites_layout(make_user, log_in):
    _assert_uses_the_sites_layout(log_in(make_user(password=None)).get("/accounts/password/set/"))


def test_too_many_attempts_have_a_page(db):
    for _ in range(21):
        response = Client().post("/accounts/signup/", {})
    assert response.status_code == 429
    assert "Too many attempts" in response.content.decode()


@pytest.mark.parametrize("name", ["verified_email_required", "signup_closed", "account_inactive", "verification_sent"])
def test_rare_pages_are_overridden(name):
    assert "site-packages" not in get_template(f"account/{name}.html").origin.name


def _assert_uses_the_sites_layout(response) -> None:
    html = response.content.decode()
    assert response.status_code == 200
    assert '<main id="main"' in html
    assert "<h1>" in html
    assert "style=" not in html
    assert "<script>" not in html
    assert not re.search(r"Sign(ed)? ?[Ii]n\b|sign in|Two-Factor|New Password", html)
