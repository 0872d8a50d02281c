import re

from django.core import mail
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

LOGIN, RESET = "/accounts/login/", "/accounts/password/reset/"


def test_an_approved_user_lands_on_the_live_page(make_user):
    user = make_user("approved")
    assert Client().post(LOGIN, {"login": user.email.upper(), "password": PASSWORD}).url == "/live/"


def test_a_pending_and_a_rejected_user_may_log_in(make_user):
    for status in ("pending", "rejected"):
        client = Client()
        client.post(LOGIN, {"login": make_user(status).email, "password": PASSWORD})
        assert "_auth_user_id" in client.session


def test_log_in_follows_no_link_to_another_site(make_user):
    form = {"login": make_user("approved").email, "password": PASSWORD, "next": "//evil.example/"}
    assert Client().post(LOGIN, form).url == "/live/"


def test_a_wrong_password_and_an_unknown_address_look_the_same(make_user):
    known = Client().post(LOGIN, {"login": make_user().email, "password": "wrong"}).content.decode()
    unknown = Client().post(LOGIN, {"login": "nobody@example.com", "password": "wrong"}).content.decode()
    assert _error(known) == _error(unknown)


def test_a_reset_for_an_unknown_address_looks_the_same(make_user):
    known = Client().post(RESET, {"email": make_user().email})
    unknown = Client().post(RESET, {"email": "nobody@example.com"})
    assert known.status_code == 302
    assert known.url == unknown.url


def test_guessing_is_slowed_down(make_user):
    user = make_user("approved")
    for _ in range(5):
        Client().post(LOGIN, {"login": user.email, "password": "wrong"})
    response = Client().post(LOGIN, {"login": user.email, "password": PASSWORD})
    assert "Too many failed login attempts" in response.content.decode()


def test_a_password_is_reset_through_the_link_that_is_sent(make_user):
    user, client = make_user(), Client()
    client.post(RESET, {"email": user.email})
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", mail.outbox[0].body)[0]
    form = client.get(link, follow=True)
    client.post(form.request["PATH_INFO"], {"password1": "new and long enough", "password2": "new and long enough"})
    assert User.objects.get(pk=user.pk).check_password("new and long enough")


def test_an_account_that_is_switched_off_is_told_so(make_user):
    form = {"login": make_user("approved", is_active=False).email, "password": PASSWORD}
    assert "switched off" in Client().post(LOGIN, form, follow=True).content.decode()


def _error(html: str) -> str:
    return re.search(r'class="notice notice--error"[^>]*>([^<]+)<', html)[1]
