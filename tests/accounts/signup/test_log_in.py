import re

from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

LOGIN, RESET = "/accounts/login/", "/accounts/password/reset/"


def test_an_approved_user_is_redirected_to_the_live_page(make_user):
    user = make_user("approved")
    assert Client().post(LOGIN, {"login": user.email.upper(), "password": PASSWORD}).url == "/live/"


def test_pending_and_rejected_users_can_log_in(make_user):
    for status in ("pending", "rejected"):
        client = Client()
        client.post(LOGIN, {"login": make_user(status).email, "password": PASSWORD})
        assert "_auth_user_id" in client.session


def test_login_does_not_redirect_to_another_site(make_user):
    form = {"login": make_user("approved").email, "password": PASSWORD, "next": "//evil.example/"}
    assert Client().post(LOGIN, form).url == "/live/"


def test_a_wrong_password_and_an_unknown_address_give_the_same_error(make_user):
    known = Client().post(LOGIN, {"login": make_user().email, "password": "wrong"}).content.decode()
    unknown = Client().post(LOGIN, {"login": "unknown@example.com", "password": "wrong"}).content.decode()
    assert _error(known) == _error(unknown)


def test_a_password_reset_does_not_reveal_accounts(make_user):
    known = Client().post(RESET, {"email": make_user().email})
    unknown = Client().post(RESET, {"email": "unknown@example.com"})
    assert known.status_code == 302
    assert known.url == unknown.url


def test_login_attempts_are_limited(make_user):
    user = make_user("approved")
    for _ in range(5):
        Client().post(LOGIN, {"login": user.email, "password": "wrong"})
    response = Client().post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert "Too many failed login attempts" in response.content.decode()


def test_the_emailed_link_resets_the_password(make_user):
    user, client = make_user(), Client()
    client.post(RESET, {"email": user.email})
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", mail.outbox[0].body)[0]
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "new and long enough", "password2": "new and long enough"})
    assert User.objects.get(pk=user.pk).check_password("new and long enough")


def test_the_emailed_link_leads_to_the_site_whatever_the_host_header(make_user, settings):
    Client().post(RESET, {"email": make_user().email}, headers={"host": "localhost:6666"})
    assert f"{settings.SITE_URL}/accounts/password/reset/key/" in mail.outbox[0].body
    assert "6666" not in mail.outbox[0].body


def test_a_deactivated_account_sees_a_message(make_user):
    form = {"login": make_user("approved", is_active=False).email, "password": PASSWORD}
    assert "deactivated" in Client().post(LOGIN, form, follow=True).content.decode()


def _error(html: str) -> str:
    return re.search(r'class="notice notice--error"[^>]*>([^<]+)<', html)[1]
