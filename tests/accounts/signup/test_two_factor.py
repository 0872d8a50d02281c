import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from tests.accounts.conftest import PASSWORD


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def secret(user, log_in_with_password):
    """The secret of the authenticator app that the user has activated."""
    client = log_in_with_password(user)
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    assert "data:image/svg+xml" in page.content.decode()
    response = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert response.url == "/accounts/2fa/recovery-codes/"
    return secret


def log_in(user):
    client = Client()
    response = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert response.url == "/accounts/2fa/authenticate/"
    assert client.get("/sessions/").url == "/accounts/login/?next=/sessions/"  # the password alone is not enough
    return client


def test_a_wrong_code_is_rejected(user, secret):
    client = log_in(user)
    assert "Incorrect code" in client.post("/accounts/2fa/authenticate/", {"code": "000000"}).content.decode()
    assert client.get("/sessions/").status_code == 302


def test_a_recovery_code_works_once(user, secret):
    from allauth.mfa.models import Authenticator

    code = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    assert log_in(user).post("/accounts/2fa/authenticate/", {"code": code}).url == "/live/"
    assert log_in(user).post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_the_code_page_uses_the_sites_layout(user, secret):
    html = log_in(user).get("/accounts/2fa/authenticate/").content.decode()
    assert '<main id="main"' in html
    assert "<script>" not in html
