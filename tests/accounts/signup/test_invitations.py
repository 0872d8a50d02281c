from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, User


@pytest.fixture
def link(admin_client):
    """Of an invitation that an administrator just made on the page."""
    page = admin_client.post("/accounts/invitations/", {"note": "Grace", "days": "7"}).content.decode()
    url = page.partition("<textarea")[2].partition(">")[2].partition("<")[0]
    return url[url.index("/accounts/") :]


@pytest.fixture
def invited(link):
    client = Client()
    assert client.get(link).url == "/accounts/signup/"
    return client


def test_the_link_is_nowhere_kept(link, admin_client):
    secret = link.rstrip("/").rpartition("/")[2]
    invitation = Invitation.objects.get()
    assert secret not in str(vars(invitation))
    assert secret not in admin_client.get("/accounts/invitations/").content.decode()


def test_who_was_invited_is_approved_at_once_in_its_makers_name(invited, admin, sign_up):
    assert "You are invited by admin@example.com" in invited.get("/accounts/signup/").content.decode()
    sign_up("grace@example.com", invited)
    grace = User.objects.get(email="grace@example.com")
    assert (grace.status, grace.decided_by, grace.decision_reason) == ("approved", admin, "Invited: Grace")
    assert invited.get("/sessions/").status_code == 200


def test_a_link_is_for_one_account(invited, link, sign_up):
    late = Client()
    late.get(link)
    sign_up("grace@example.com", invited)
    sign_up("eve@example.com", late)
    assert User.objects.get(email="eve@example.com").status == "pending"
    assert Client().get(link).status_code == 410


def test_one_who_comes_while_sign_up_is_by_invitation_needs_one(invited, sign_up, settings):
    settings.SIGNUP = "invitation"
    assert "need an invitation" in Client().get("/accounts/signup/").content.decode()
    sign_up("eve@example.com")
    assert not User.objects.filter(email="eve@example.com").exists()
    sign_up("grace@example.com", invited)
    assert User.objects.get(email="grace@example.com").is_approved


def test_the_first_account_needs_none(sign_up, settings):
    settings.SIGNUP = "invitation"
    sign_up("ada@example.com")
    assert User.objects.get().is_admin


def test_where_sign_up_is_closed_a_link_opens_nothing(invited, sign_up, settings):
    settings.SIGNUP = "closed"
    sign_up("grace@example.com", invited)
    assert not User.objects.filter(email="grace@example.com").exists()


def test_an_invitation_goes_past_the_limit_to_domains(invited, sign_up, settings):
    settings.SIGNUP_EMAIL_DOMAINS = ["example.org"]
    sign_up("grace@elsewhere.example", invited)
    assert User.objects.get(email="grace@elsewhere.example").is_approved


def test_one_that_was_revoked_opens_nothing(link, admin_client):
    admin_client.post(f"/accounts/invitations/{Invitation.objects.get().pk}/revoke/")
    assert "This invitation is over" in Client().get(link).content.decode()


def test_one_that_has_expired_opens_nothing(link):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 410


def test_those_of_somebody_who_is_no_administrator_any_more_open_nothing(link, admin, make_user):
    other = make_user("approved", is_staff=True)
    admin.reject(other, "left")
    assert Client().get(link).status_code == 410


def test_a_guess_opens_nothing(db):
    for secret in ("x", "x" * 43, "x" * 4000):
        assert Client().get(f"/accounts/invited/{secret}/").status_code == 410


def test_who_has_an_account_does_not_use_it_up(link, make_user, log_in):
    client = log_in(make_user("approved"))
    assert client.get(link).url == "/"
    assert Invitation.objects.open().exists()
