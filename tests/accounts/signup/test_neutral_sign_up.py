"""Where email is set up, sign-up doesn't reveal which addresses have an account."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from accounts.models import Invitation, User
from tests.accounts.conftest import PASSWORD
from tests.dsm_site.test_security import manage


@pytest.fixture(autouse=True)
def _confirms_addresses(settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.fixture
def registered(make_user):
    user = make_user("approved")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user.email


def visible(client: Client, response) -> tuple:
    """All that a client sees of a sign-up, then and on the pages that it opens next."""
    pages = [client.get(path, follow=True) for path in (response.url, "/accounts/signup/", "/accounts/login/")]
    return (
        response.status_code,
        response.url,
        set(client.cookies),
        [(page.redirect_chain, page.status_code, _without_tokens(page)) for page in pages],
    )


def _without_tokens(page) -> str:
    return page.content.decode().replace(str(page.context.get("csrf_token", "")), "").partition("<main")[2]


def test_a_registered_address_gets_the_same_response_as_another(sign_up, registered):
    known, unknown = Client(), Client()
    seen_of_known = visible(known, sign_up(registered, known))
    seen_of_unknown = visible(unknown, sign_up("new@example.com", unknown))
    assert str(seen_of_known).replace(registered, "ADDRESS") == str(seen_of_unknown).replace(
        "new@example.com", "ADDRESS"
    )


def test_each_sign_up_sends_one_email_and_hashes_one_password(sign_up, registered, monkeypatch):
    hashed = []
    encode = "django.contrib.auth.hashers.MD5PasswordHasher.encode"
    monkeypatch.setattr(encode, lambda self, password, salt: hashed.append(password) or f"md5${salt}$hash")
    sign_up(registered)
    sign_up("new@example.com")
    assert hashed == [PASSWORD] * 2
    assert [message.to for message in mail.outbox] == [[registered], ["new@example.com"]]
    assert "already" in mail.outbox[0].body


def test_a_registered_address_uses_up_an_invitation(sign_up, registered, admin, settings):
    settings.SIGNUP = "invitation"
    states = []
    for email in (registered, "new@example.com"):
        client = Client()
        link = f"/accounts/invited/{Invitation.create(admin, timedelta(days=1))[1]}/"
        client.get(link)
        sign_up(email, client)
        states.append((client.get("/accounts/signup/").status_code, Client().get(link).status_code))
    assert states[0] == states[1] == (200, 410)
    assert not User.objects.get(email=registered).decided_by


def test_a_double_submit_gets_the_same_response(sign_up, admin, monkeypatch):
    expected = sign_up("new@example.com").url
    monkeypatch.setattr("accounts.signup.neutral_forms.SignUpForm.validate_unique_email", _is_free)
    assert sign_up("new@example.com").url == expected
    assert User.objects.filter(email="new@example.com").count() == 1


def _is_free(form, email: str) -> str:
    """The check of a form that was submitted at the same time as another one."""
    form.account_already_exists = False
    return email


def test_addresses_are_confirmed_if_there_is_a_mail_server(tmp_path):
    code = "from django.conf import settings; print(settings.ACCOUNT_EMAIL_VERIFICATION)"
    env = {"EMAIL_URL": "smtp://localhost", "DATA_DIR": str(tmp_path)}
    assert manage("shell", "--verbosity=0", "--command", code, **env).strip() == "mandatory"
