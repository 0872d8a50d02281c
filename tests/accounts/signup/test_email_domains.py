import pytest
from django.core import mail
from django.test import Client

from accounts.models import User


@pytest.fixture(autouse=True)
def _only_example_org(settings):
    settings.SIGNUP_EMAIL_DOMAINS = ["example.org"]


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@EXAMPLE.ORG"])
def test_an_address_at_an_allowed_domain_can_sign_up(sign_up, email):
    sign_up(email)
    assert User.objects.get().email == "ada@example.org"


@pytest.mark.parametrize(
    "email", ["ada@example.com", "ada@sub.example.org", "ada@notexample.org", "example.org@evil.com"]
)
def test_other_addresses_are_rejected(sign_up, email):
    assert "Only addresses at example.org can sign up" in sign_up(email).content.decode()
    assert not User.objects.exists()


def test_an_address_cannot_change_to_another_domain(make_user, log_in_with_password, settings):
    settings.SENDS_EMAIL = True
    page = log_in_with_password(make_user(email="ada@example.org")).post(
        "/accounts/email/", {"email": "ada@example.com"}
    )
    assert "Only addresses at example.org can sign up" in page.content.decode()
    assert mail.outbox == []


def test_accounts_at_other_domains_can_reset_their_password(admin):
    Client().post("/accounts/password/reset/", {"email": admin.email})
    assert mail.outbox[0].to == [admin.email]
