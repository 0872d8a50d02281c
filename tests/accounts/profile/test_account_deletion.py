"""Users can delete their account, except the only administrator of other accounts."""

import pytest
from django.test import Client

from accounts.models import User

PASSWORD = "correct horse battery staple"


def log_in_and_reauthenticate(user):
    user.set_password(PASSWORD)
    user.save()
    client = Client()
    client.force_login(user)
    client.post("/accounts/reauthenticate/?next=/accounts/close/", {"password": PASSWORD})
    return client


@pytest.mark.parametrize("status", ["approved", "pending", "rejected"])
def test_the_account_is_deleted_after_confirmation(make_user, status):
    user = make_user(status)
    client = log_in_and_reauthenticate(user)
    assert "Nothing deleted" in client.post("/accounts/close/", {"sure": ""}).content.decode()
    client.post("/accounts/close/", {"sure": "on"})
    assert not User.objects.filter(pk=user.pk).exists()
    assert client.get("/accounts/close/").status_code == 302


def test_deletion_requires_the_password(make_user):
    user = make_user("approved")
    client = Client()
    client.force_login(user)
    response = client.post("/accounts/close/", {"sure": "on"})
    assert "/accounts/reauthenticate/" in response.headers["Location"]
    assert User.objects.filter(pk=user.pk).exists()


def test_the_only_administrator_cannot_delete_the_account_while_others_exist(make_user):
    admin = make_user("approved", is_staff=True)
    other = make_user("approved")
    page = log_in_and_reauthenticate(admin).post("/accounts/close/", {"sure": "on"}, follow=True)
    assert "the only administrator and other accounts exist" in page.content.decode()
    other.close_account()
    admin.close_account()
    assert not User.objects.exists()
