import re

from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client


def test_an_address_is_confirmed_through_the_link_that_is_sent(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    sign_up("new@example.com")
    link = re.search(r"http\S+/accounts/confirm-email/\S+", mail.outbox[0].body)[0]
    assert "new@example.com" in Client().get(link).content.decode()
    Client().post(link)
    assert EmailAddress.objects.get(email="new@example.com").verified


def test_where_it_is_mandatory_nobody_is_in_before(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    client = Client()
    assert sign_up("new@example.com", client).url == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session


def test_where_it_is_mandatory_a_taken_address_is_not_given_away(sign_up, admin, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    assert sign_up(admin.email).url == sign_up("new@example.com").url


def test_the_standing_asks_for_it(make_user, log_in, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    assert "not confirmed" in log_in(make_user()).get("/accounts/standing/").content.decode()


def test_the_standing_does_not_where_the_site_does_not_confirm(make_user, log_in):
    assert "not confirmed" not in log_in(make_user()).get("/accounts/standing/").content.decode()
