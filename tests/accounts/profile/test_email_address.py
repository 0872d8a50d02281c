"""An account's email address changes only with proof: a link sent to the new address, or an administrator."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import resolve

from accounts import email_addresses
from accounts.models import DecisionEntry, User
from tests.accounts.conftest import PASSWORD

PAGE = "/accounts/email/"


@pytest.fixture(autouse=True)
def _mail_server(settings):
    settings.SENDS_EMAIL, settings.ACCOUNT_EMAIL_VERIFICATION = True, "optional"


@pytest.fixture
def ada(make_user):
    user = make_user("approved", email="ada@example.com")
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    return user


@pytest.fixture
def browser(ada, log_in_with_password):
    return log_in_with_password(ada)


@pytest.fixture
def request_change(browser, mailoutbox):
    """Ask for another address. Returns the path of the link that was sent to it."""

    def request_change(new):
        browser.post(PAGE, {"email": new})
        assert mailoutbox[-1].to == [new.lower()]
        return re.search(r"/accounts/email/change/\S+", mailoutbox[-1].body)[0]

    return request_change


def address(user):
    stored = User.objects.get(pk=user.pk)
    return stored.email, list(user.emailaddress_set.values_list("email", "primary", "verified"))


def test_the_page_replaces_allauths():
    assert resolve(PAGE).view_name == "email_address"


def test_the_address_changes_when_the_link_is_opened(browser, request_change, ada, mailoutbox):
    link = request_change("Ada@New.example")
    assert address(ada) == ("ada@example.com", [("ada@example.com", True, False)])
    assert "ada@new.example" in browser.get(link).content.decode()
    assert address(ada)[0] == "ada@example.com"
    assert "address is now ada@new.example" in browser.post(link, follow=True).content.decode()
    assert address(ada) == ("ada@new.example", [("ada@new.example", True, True)])


def test_the_old_address_is_notified(browser, request_change, mailoutbox, django_capture_on_commit_callbacks):
    link = request_change("ada@new.example")
    with django_capture_on_commit_callbacks(execute=True):
        browser.post(link)
    assert mailoutbox[-1].to == ["ada@example.com"]
    assert "from ada@example.com to ada@new.example" in mailoutbox[-1].body


def test_the_change_is_in_the_approval_log(browser, request_change, admin_client, ada):
    browser.post(request_change("ada@new.example"))
    entry = DecisionEntry.objects.get()
    assert (entry.email, entry.new_email, entry.by, entry.by_email) == (
        "ada@example.com",
        "ada@new.example",
        ada,
        "ada@example.com",
    )
    for search in ("", "ada@example.com", "ada@new"):
        page = admin_client.get("/accounts/approvals/log/", {"q": search}).content.decode()
        assert "Address changed to ada@new.example" in page


def test_the_user_logs_in_with_the_new_address_only(browser, request_change, ada):
    browser.post(request_change("ada@new.example"))
    for login, works in (("ada@example.com", False), ("ada@new.example", True)):
        client = Client()
        client.post("/accounts/login/", {"login": login, "password": PASSWORD})
        assert ("_auth_user_id" in client.session) is works


def test_a_link_works_once(browser, request_change, ada):
    link = request_change("ada@new.example")
    browser.post(link)
    assert browser.get(link).status_code == browser.post(link).status_code == 410


def test_a_link_expires(browser, request_change, ada, monkeypatch):
    link = request_change("ada@new.example")
    monkeypatch.setattr(email_addresses, "LINK_LIFETIME", email_addresses.LINK_LIFETIME * -1)
    assert browser.post(link).status_code == 410
    assert address(ada)[0] == "ada@example.com"


@pytest.mark.parametrize("change", [lambda key: key[:-1], lambda key: f"{key}x", lambda key: "x"])
def test_a_forged_link_is_rejected(browser, request_change, ada, change):
    key = request_change("ada@new.example").rstrip("/").rpartition("/")[2]
    assert browser.post(f"{PAGE}change/{change(key)}/").status_code == 410
    assert address(ada)[0] == "ada@example.com"


def test_only_the_account_that_requested_the_change_can_open_the_link(request_change, ada, make_user, log_in):
    """The mailbox's owner could otherwise confirm it by mistake for the account of another user."""
    link = request_change("grace@example.com")
    assert log_in(make_user("approved", email="grace@example.com")).post(link).status_code == 410
    assert Client().post(link).url.startswith("/accounts/login/")
    assert address(ada)[0] == "ada@example.com"


def test_an_address_of_another_account_is_neither_taken_nor_revealed(browser, request_change, ada, make_user):
    make_user("approved", email="grace@example.com")
    link = request_change("grace@example.com")  # the same message and email as for other addresses
    assert "another account has the address" in browser.post(link, follow=True).content.decode()
    assert address(ada)[0] == "ada@example.com"
    assert not DecisionEntry.objects.exists()


@pytest.mark.parametrize("verification", ["none", "optional", "mandatory"])
@pytest.mark.parametrize("sends_email", [False, True])
@pytest.mark.parametrize("action", ["action_add", "action_primary", "action_send", "action_remove", "x"])
def test_no_address_can_be_claimed_without_proof(browser, ada, settings, verification, sends_email, action):
    settings.SENDS_EMAIL, settings.ACCOUNT_EMAIL_VERIFICATION = sends_email, verification
    for email in ("ceo@example.com", "ada@example.com"):
        browser.post(PAGE, {action: "", "email": email})
        browser.post(PAGE, {"action_primary": "", "email": email})
    assert address(ada)[0] == "ada@example.com"
    assert [email for email, *_ in address(ada)[1]] == ["ada@example.com"]


def test_a_requested_address_stays_free_for_its_owner(browser, request_change, sign_up):
    request_change("grace@example.com")
    sign_up("grace@example.com")
    assert User.objects.filter(email="grace@example.com").exists()


def test_a_change_asks_for_the_password(ada, log_in, mailoutbox):
    client = log_in(ada)
    response = client.post(PAGE, {"email": "ada@new.example"})
    assert response.url.startswith("/accounts/reauthenticate/")
    assert mailoutbox == []
    client.post(response.url, {"password": PASSWORD, "next": PAGE})
    assert [message.to for message in mailoutbox] == [["ada@new.example"]]


def test_an_address_gets_one_link_in_three_minutes(browser, request_change, mailoutbox):
    request_change("grace@example.com")
    page = browser.post(PAGE, {"email": "Grace@example.com"}, follow=True).content.decode()
    assert "No link sent" in page
    assert len(mailoutbox) == 1


def test_an_unavailable_mail_server_is_reported(browser, monkeypatch):
    monkeypatch.setattr("accounts.mail.send_address_link", lambda to, url: False)
    assert "mail server is unavailable" in browser.post(PAGE, {"email": "a@new.example"}, follow=True).content.decode()


def test_without_a_mail_server_the_page_sends_users_to_an_administrator(browser, ada, settings, mailoutbox):
    settings.SENDS_EMAIL, settings.ACCOUNT_EMAIL_VERIFICATION = False, "none"
    assert "contact your administrator" in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"email": "ada@new.example"})
    assert mailoutbox == []
    assert address(ada)[0] == "ada@example.com"


def test_the_confirmation_of_the_current_address_is_sent_again(browser, ada, mailoutbox):
    assert "Not confirmed" in browser.get(PAGE).content.decode()
    browser.post(PAGE, {"action_send": ""})
    link = re.search(r"http\S+/accounts/confirm-email/\S+", mailoutbox[0].body)[0]
    browser.post(link)
    assert address(ada) == ("ada@example.com", [("ada@example.com", True, True)])
    assert "Not confirmed" not in browser.get(PAGE).content.decode()


def test_allauths_link_confirms_only_the_accounts_own_address(browser, ada, mailoutbox):
    browser.post(PAGE, {"action_send": ""})
    link = re.search(r"http\S+/accounts/confirm-email/\S+", mailoutbox[0].body)[0]
    User.objects.filter(pk=ada.pk).update(email="ada@new.example")
    browser.post(link)
    assert not EmailAddress.objects.filter(verified=True).exists()


# --- Changes by administrators, in Django's admin ---------------------------------------------------------------------


def test_an_administrator_changes_the_address(admin_client, admin, ada, django_capture_on_commit_callbacks, mailoutbox):
    EmailAddress.objects.update(verified=True)
    form = {"email": "Ada@New.example", "is_active": "on"}
    with django_capture_on_commit_callbacks(execute=True):
        assert admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", form).status_code == 302
    assert address(ada) == ("ada@new.example", [("ada@new.example", True, False)])
    entry = DecisionEntry.objects.get()
    assert (entry.email, entry.new_email, entry.by) == ("ada@example.com", "ada@new.example", admin)
    assert mailoutbox[-1].to == ["ada@example.com"]


def test_a_change_of_other_fields_is_not_a_change_of_the_address(admin_client, ada):
    EmailAddress.objects.update(verified=True)
    form = {"email": "ADA@example.com", "is_active": "on", "is_staff": "on"}
    admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", form)
    assert address(ada) == ("ada@example.com", [("ada@example.com", True, True)])
    assert not DecisionEntry.objects.exists()
    assert User.objects.get(pk=ada.pk).is_staff


def test_an_address_of_another_account_is_an_error_in_the_admin(admin_client, admin, ada):
    form = {"email": admin.email.upper(), "is_active": "on"}
    assert "already exists" in admin_client.post(f"/admin/accounts/user/{ada.pk}/change/", form).content.decode()
    assert address(ada)[0] == "ada@example.com"


def test_an_administrator_marks_an_address_as_confirmed(admin_client, ada):
    form = {"action": "confirm_address", "_selected_action": [ada.pk]}
    assert (
        "1 addresses marked as confirmed"
        in admin_client.post("/admin/accounts/user/", form, follow=True).content.decode()
    )
    assert address(ada) == ("ada@example.com", [("ada@example.com", True, True)])


def test_the_approvals_page_shows_unconfirmed_addresses_once_email_is_set_up(admin_client, ada, settings):
    approvals = "/accounts/approvals/?q=ada"
    settings.SENDS_EMAIL, settings.ACCOUNT_EMAIL_VERIFICATION = False, "none"
    assert "email not confirmed" not in admin_client.get(approvals).content.decode()
    settings.SENDS_EMAIL, settings.ACCOUNT_EMAIL_VERIFICATION = True, "optional"
    assert "email not confirmed" in admin_client.get(approvals).content.decode()
    EmailAddress.objects.update(verified=True)
    assert "email not confirmed" not in admin_client.get(approvals).content.decode()
