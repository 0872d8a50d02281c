"""Limits of attempts. No client can lock a user out, and none can reset its own limits."""

import re

import pytest
from allauth.account import app_settings as account_settings
from allauth.mfa import app_settings as mfa_settings
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from tests.accounts.conftest import PASSWORD
from tests.accounts.signup.test_two_factor import code_of
from tests.support.environment import ROOT

LOGIN, CODE, RESET = "/accounts/login/", "/accounts/2fa/authenticate/", "/accounts/password/reset/"
TOO_MANY = "Too many failed login attempts"
UNUSED = {"change_phone", "verify_phone", "request_login_code"}
"""Limits of features of allauth that the site doesn't use."""


def client_at(address: str) -> Client:
    return Client(REMOTE_ADDR=address)


def fail(address: str, email: str, times: int = 1, **options: str) -> str:
    """Log in with a wrong password. Returns the last page."""
    for _ in range(times):
        response = client_at(address).post(LOGIN, {"login": email, "password": "wrong"}, **options)
    return response.content.decode()


def can_log_in(address: str, email: str) -> bool:
    return client_at(address).post(LOGIN, {"login": email, "password": PASSWORD}).status_code == 302


def test_failed_logins_lock_only_their_client_out(make_user):
    user = make_user("approved")
    fail("192.0.2.1", user.email, times=5)
    assert not can_log_in("192.0.2.1", user.email)
    assert can_log_in("192.0.2.2", user.email)


def test_a_locked_client_can_log_in_to_other_accounts(make_user):
    user, other = make_user("approved"), make_user("approved")
    fail("192.0.2.1", user.email, times=5)
    assert can_log_in("192.0.2.1", other.email)


def test_a_network_of_ipv6_addresses_is_one_client(make_user):
    user = make_user("approved")
    for number in range(5):
        fail(f"2001:db8::{number}", user.email)
    assert not can_log_in("2001:db8::ffff", user.email)
    assert can_log_in("2001:db8:0:1::1", user.email)


def test_another_port_in_the_host_header_gives_no_more_attempts(make_user):
    user = make_user("approved")
    for port in range(5):
        fail("192.0.2.1", user.email, headers={"host": f"localhost:{8000 + port}"})
    assert not can_log_in("192.0.2.1", user.email)


def test_a_client_is_limited_with_all_accounts_together(db):
    for number in range(10):
        assert TOO_MANY not in fail("192.0.2.1", f"user{number}@example.com")
    assert TOO_MANY in fail("192.0.2.1", "user@example.com")


def test_successful_logins_are_not_counted(make_user):
    user = make_user("approved")
    assert all(can_log_in("192.0.2.1", user.email) for _ in range(12))


def test_a_correct_code_does_not_reset_the_limit_of_its_client(make_user):
    attacker = client_at("192.0.2.1")
    attacker.post(LOGIN, {"login": make_user("approved").email, "password": PASSWORD})
    attacker.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = attacker.get("/accounts/2fa/totp/activate/").context["form"].secret
    for number in range(10):
        fail("192.0.2.1", f"user{number}@example.com")
    assert attacker.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}).status_code == 302
    assert TOO_MANY in fail("192.0.2.1", "user@example.com")


@pytest.fixture
def protected_user(make_user):
    """A user with recovery codes."""
    user = make_user("approved")
    Authenticator.objects.create(user=user, type="totp", data={"secret": "A" * 32})
    Authenticator.objects.create(user=user, type="recovery_codes", data={"migrated_codes": ["11112222", "33334444"]})
    return user


def test_wrong_codes_are_limited_by_account_for_all_clients_together(protected_user):
    for number in range(5):
        client = client_at(f"192.0.2.{number}")
        client.post(LOGIN, {"login": protected_user.email, "password": PASSWORD})
        client.post(CODE, {"code": "00000000"})
    client = client_at("192.0.2.9")
    client.post(LOGIN, {"login": protected_user.email, "password": PASSWORD})
    assert TOO_MANY in client.post(CODE, {"code": "11112222"}).content.decode()


def test_codes_are_not_limited_by_clients_without_the_password(protected_user):
    for number in range(10):
        fail(f"192.0.2.{number}", protected_user.email)
        assert client_at(f"192.0.2.{number}").post(CODE, {"code": "00000000"}).url == LOGIN
    client = client_at("192.0.2.99")
    client.post(LOGIN, {"login": protected_user.email, "password": PASSWORD})
    assert client.post(CODE, {"code": "11112222"}).url == "/live/"


def test_requests_of_others_do_not_prevent_a_password_reset(make_user):
    user = make_user("approved")
    answers = [client_at(f"192.0.2.{number}").post(RESET, {"email": user.email}) for number in range(8)]
    assert {(answer.status_code, answer.url) for answer in answers} == {(302, f"{RESET}done/")}
    assert len(mail.outbox) == 5
    links = [re.search(r"http\S+/accounts/password/reset/key/\S+", message.body)[0] for message in mail.outbox]
    assert all("password1" in Client().get(link, follow=True).content.decode() for link in links)


def test_a_client_can_request_a_limited_number_of_resets(db):
    answers = [client_at("192.0.2.1").post(RESET, {"email": f"{n}@example.com"}).status_code for n in range(21)]
    assert answers == [302] * 20 + [429]


@pytest.mark.parametrize("forwarded_for", ["", "{}", "6.6.6.6, {}"])
def test_a_forged_header_gives_no_more_refreshes(db, forwarded_for):
    answers = [
        Client(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded_for.format(f"192.0.2.{number}"))
        .post("/api/auth/refresh", {"refresh_token": "dsr_unknown"}, "application/json")
        .status_code
        for number in range(61)
    ]
    assert answers == [401] * 60 + [429]


def test_every_limit_is_documented():
    section = (ROOT / "docs/security.md").read_text().partition("## Limits of attempts")[2].partition("\n## ")[0]
    documented = set(re.findall(r"\| `(\w+)` \|$", section, re.MULTILINE))
    assert documented == {*account_settings.RATE_LIMITS, *mfa_settings.RATE_LIMITS} - UNUSED
