"""Whoever has an account may delete it, but leaves no site without an administrator."""

import pytest
from django.test import Client

from accounts.models import User

PASSWORD = "a passphrase nobody guesses"


def log_in_just_now(user):
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.force_login(user)
    client.post("/accounts/reauthenticate/?next=/accounts/close/", {"password": PASSWORD})
    return client


@pytest.mark.parametrize("status", ["approved", "pending", "rejected"])
def test_it_is_gone_when_its_owner_is_sure(make_user, status):
    user = make_user(status)
    client = log_in_just_now(user)
    assert "Nothing was deleted" in client.post("/accounts/close/", {"sure": ""}).content.decode()
    client.post("/accounts/close/", {"sure": "on"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert client.get("/accounts/close/").status_code == 302


def test_the_password_is_asked_for_first(make_user):
    user = make_user("approved")
    client = Client()
    client.force_login(user)
    response = client.post("/accounts/close/", {"sure": "on"})
    assert "/accounts/reauthenticate/" in response.headers["Location"]
    assert User.objects.filter(pk=user.pk).exists()


def test_the_only_administrator_stays_while_others_are_here(make_user):
    admin = make_user("approved", is_staff=True)
    other = make_user("approved")
    page = log_in_just_now(admin).post("/accounts/close/", {"sure": "on"}, follow=True)
    assert "you are the only administrator" in page.content.decode()
    other.close_account()
    admin.close_account()
    assert not User.objects.exists()
