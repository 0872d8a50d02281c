import pytest
from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD


def test_a_new_user_is_pending_and_logged_in(sign_up, admin):
    client = Client()
    sign_up("new@example.com", client)
    user = User.objects.get(email="new@example.com")
    assert (user.status, user.is_staff, user.is_first_user) == ("pending", False, None)
    assert client.session["_auth_user_id"] == str(user.pk)


def test_a_new_user_is_redirected_to_the_status_page(sign_up, admin):
    client = Client()
    response = sign_up("new@example.com", client)
    assert client.get(response.url).url == "/accounts/status/"


def test_email_addresses_are_unique_regardless_of_case(sign_up, admin):
    response = sign_up("ADMIN@Example.COM")
    assert "already registered" in response.content.decode()
    assert User.objects.count() == 1


def test_a_double_submit_creates_one_account(sign_up, admin, monkeypatch):
    monkeypatch.setattr("allauth.account.forms.BaseSignupForm.validate_unique_email", lambda self, email: email)
    sign_up("twice@example.com")
    response = sign_up("twice@example.com")
    assert response.url == "/accounts/login/"
    assert User.objects.filter(email="twice@example.com").count() == 1


def test_sign_up_does_not_redirect_to_another_site(admin):
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD, "next": "https://evil.example/"}
    assert Client().post("/accounts/signup/", form).url == "/live/"


def test_sign_up_requires_a_csrf_token(admin):
    form = {"email": "new@example.com", "password1": PASSWORD, "password2": PASSWORD}
    assert Client(enforce_csrf_checks=True).post("/accounts/signup/", form).status_code == 403


def test_sign_up_can_be_closed(sign_up, settings):
    settings.SIGNUP = "closed"
    assert "Sign-up is closed" in Client().get("/accounts/signup/").content.decode()
    sign_up("new@example.com")
    assert not User.objects.exists()


def test_a_setting_emails_admins_about_sign_ups(
    sign_up, admin, make_user, settings, django_capture_on_commit_callbacks
):
    settings.NOTIFY_ADMINS_OF_SIGNUPS = True
    make_user("rejected", email="was-admin@example.com", is_staff=True)
    with django_capture_on_commit_callbacks(execute=True):
        sign_up("new@example.com")
    emails = [message for message in mail.outbox if message.subject == "New account awaiting approval: new@example.com"]
    assert [message.to for message in emails] == [["admin@example.com"]]
    assert f"{settings.SITE_URL}/accounts/approvals/" in emails[0].body


def test_admins_get_no_email_by_default(sign_up, admin, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        sign_up("new@example.com")
    assert all(message.to == ["new@example.com"] for message in mail.outbox)


@pytest.mark.parametrize("page", ["/accounts/signup/", "/accounts/login/"])
def test_fields_have_labels_and_no_placeholders(db, page):
    html = Client().get(page).content.decode()
    assert '<label for="id_password' in html
    assert "placeholder" not in html
