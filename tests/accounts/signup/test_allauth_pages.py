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
OWN = ["email", "password/change", "logout", "reauthenticate", "2fa", "sessions"]
BEHIND_THE_PASSWORD = ["2fa/totp/activate", "2fa/webauthn", "2fa/webauthn/add"]
BROKEN_LINKS = ["password/reset/key/1-broken", "confirm-email/broken"]


@pytest.mark.parametrize("page", OPEN + BROKEN_LINKS)
def test_a_page_for_all_is_part_of_the_site(db, page):
    _assert_part_of_the_site(Client().get(f"/accounts/{page}/"))


@pytest.mark.parametrize("page", OWN)
@pytest.mark.parametrize("status", ["pending", "approved", "rejected"])
def test_a_page_of_ones_own_account_is_part_of_the_site_whatever_the_status(make_user, log_in, page, status):
    _assert_part_of_the_site(log_in(make_user(status)).get(f"/accounts/{page}/"))


@pytest.mark.parametrize("page", BEHIND_THE_PASSWORD)
def test_a_second_factor_is_set_up_on_pages_of_the_site(make_user, sign_in, page):
    _assert_part_of_the_site(sign_in(make_user("approved")).get(f"/accounts/{page}/"))


def test_a_password_is_set_where_there_is_none(make_user, log_in):
    _assert_part_of_the_site(log_in(make_user(password=None)).get("/accounts/password/set/"))


def test_too_many_tries_have_a_page(db):
    for _ in range(21):
        response = Client().post("/accounts/signup/", {})
    assert response.status_code == 429
    assert "Too many tries" in response.content.decode()


@pytest.mark.parametrize("name", ["verified_email_required", "signup_closed", "account_inactive", "verification_sent"])
def test_the_rarer_pages_are_ours_too(name):
    assert "site-packages" not in get_template(f"account/{name}.html").origin.name


def _assert_part_of_the_site(response) -> None:
    html = response.content.decode()
    assert response.status_code == 200
    assert '<main id="main"' in html
    assert "<h1>" in html
    assert "style=" not in html
    assert "<script>" not in html
