import pytest
from django.core import mail
from django.test import Client

from accounts.models import User


@pytest.fixture(autouse=True)
def _only_example_org(settings):
    settings.SIGNUP_EMAIL_DOMAINS = ["example.org"]


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@EXAMPLE.ORG"])
def test_an_address_at_a_listed_domain_may_sign_up(sign_up, email):
    sign_up(email)
    assert User.objects.get().email == "ada@example.org"


@pytest.mark.parametrize(
    "email", ["ada@example.com", "ada@sub.example.org", "ada@notexample.org", "example.org@evil.com"]
)
def test_any_other_is_told_which_domains_are(sign_up, email):
    assert "addresses at example.org only" in sign_up(email).content.decode()
    assert not User.objects.exists()


def test_nobody_adds_an_address_elsewhere_later(make_user, log_in):
    client = log_in(make_user(email="ada@example.org"))
    form = {"email": "ada@example.com", "action_add": ""}
    assert "addresses at example.org only" in client.post("/accounts/email/", form).content.decode()


def test_an_account_from_elsewhere_may_still_reset_its_password(admin):
    Client().post("/accounts/password/reset/", {"email": admin.email})
    assert mail.outbox[0].to == [admin.email]
