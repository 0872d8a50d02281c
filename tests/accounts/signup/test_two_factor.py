import time

import pytest
from allauth.mfa.models import Authenticator
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
    code = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    assert log_in(user).post("/accounts/2fa/authenticate/", {"code": code}).url == "/live/"
    assert log_in(user).post("/accounts/2fa/authenticate/", {"code": code}).status_code == 200


def test_the_code_page_uses_the_sites_layout(user, secret):
    html = log_in(user).get("/accounts/2fa/authenticate/").content.decode()
    assert '<main id="main"' in html
    assert "<script>" not in html


def test_users_can_reauthenticate_in_another_way(user, secret):
    client = Client()
    client.force_login(user)
    page = client.get("/accounts/reauthenticate/?next=/accounts/email/").content.decode()
    assert (
        '<a href="/accounts/2fa/reauthenticate/?next=%2Faccounts%2Femail%2F">Use authenticator app or code</a>' in page
    )
    page = client.get("/accounts/2fa/reauthenticate/?next=/accounts/email/").content.decode()
    assert '<a href="/accounts/reauthenticate/?next=%2Faccounts%2Femail%2F">Use your password</a>' in page
    form = {"code": code_of(secret), "next": "/accounts/email/"}
    assert client.post("/accounts/2fa/reauthenticate/", form).url == "/accounts/email/"


def test_a_passkey_is_another_way_to_reauthenticate(user):
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    client = Client()
    client.force_login(user)
    page = client.get("/accounts/reauthenticate/").content.decode()
    assert '<a href="/accounts/2fa/webauthn/reauthenticate/">Use a passkey</a>' in page


def test_the_passkey_page_connects_the_button_with_the_form(user, monkeypatch):
    monkeypatch.setattr("allauth.mfa.webauthn.internal.auth.begin_authentication", lambda user: {"challenge": "1"})
    Authenticator.objects.create(user=user, type=Authenticator.Type.WEBAUTHN, data={})
    client = Client()
    client.force_login(user)
    page = client.get("/accounts/2fa/webauthn/reauthenticate/").content.decode()
    assert '"request_options": {"challenge": "1"}' in page
    for name, id in (("authenticate", "mfa_webauthn_reauthenticate"), ("credential", "id_credential")):
        assert f'"{name}": "{id}"' in page
        assert f'id="{id}"' in page


def test_a_user_with_only_a_password_has_no_other_way_to_reauthenticate(user):
    client = Client()
    client.force_login(user)
    assert "Other ways to confirm" not in client.get("/accounts/reauthenticate/").content.decode()
