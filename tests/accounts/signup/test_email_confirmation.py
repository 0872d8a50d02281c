import re

from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client

from tests.accounts.conftest import PASSWORD


def test_the_emailed_link_confirms_the_address(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    sign_up("new@example.com")
    link = re.search(r"http\S+/accounts/confirm-email/\S+", mail.outbox[0].body)[0]
    assert "new@example.com" in Client().get(link).content.decode()
    Client().post(link)
    assert EmailAddress.objects.get(email="new@example.com").verified


def test_the_link_leads_to_the_site_whatever_the_host_header(admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    Client().post("/accounts/signup/", form, headers={"host": "localhost:6666"})
    assert f"{settings.SITE_URL}/accounts/confirm-email/" in mail.outbox[0].body


def test_mandatory_confirmation_precedes_login(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()
    assert sign_up("new@example.com", client).url == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session


def test_mandatory_confirmation_does_not_reveal_existing_accounts(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    assert sign_up(admin.email).url == sign_up("new@example.com").url


def test_the_status_page_asks_for_confirmation(make_user, log_in, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    assert "confirmed yet" in log_in(make_user()).get("/accounts/status/").content.decode()


def test_the_status_page_does_not_ask_if_confirmation_is_off(make_user, log_in):
    assert "confirmed yet" not in log_in(make_user()).get("/accounts/status/").content.decode()
