from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, User


@pytest.fixture
def link(admin_client):
    """An invitation link that an administrator just created on the page."""
    page = admin_client.post("/accounts/invitations/", {"note": "Grace", "days": "7"}).content.decode()
    url = page.partition("<textarea")[2].partition(">")[2].partition("<")[0]
    return url[url.index("/accounts/") :]


@pytest.fixture
def invited_client(link):
    client = Client()
    assert client.get(link).url == "/accounts/signup/"
    return client


def test_the_secret_is_not_stored(link, admin_client):
    secret = link.rstrip("/").rpartition("/")[2]
    invitation = Invitation.objects.get()
    assert secret not in str(vars(invitation))
    assert secret not in admin_client.get("/accounts/invitations/").content.decode()


def test_an_invited_user_is_approved_in_the_creators_name(invited_client, admin, sign_up):
    assert "been invited by admin@example.com" in invited_client.get("/accounts/signup/").content.decode()
    sign_up("grace@example.com", invited_client)
    grace = User.objects.get(email="grace@example.com")
    assert (grace.status, grace.decided_by, grace.decision_reason) == ("approved", admin, "Invited: Grace")
    assert invited_client.get("/sessions/").status_code == 200


def test_a_link_works_for_one_account(invited_client, link, sign_up):
    second_client = Client()
    second_client.get(link)
    sign_up("grace@example.com", invited_client)
    sign_up("eve@example.com", second_client)
    assert User.objects.get(email="eve@example.com").status == "pending"
    assert Client().get(link).status_code == 410


def test_sign_up_can_require_an_invitation(invited_client, sign_up, settings):
    settings.SIGNUP = "invitation"
    assert "by invitation only" in Client().get("/accounts/signup/").content.decode()
    sign_up("eve@example.com")
    assert not User.objects.filter(email="eve@example.com").exists()
    sign_up("grace@example.com", invited_client)
    assert User.objects.get(email="grace@example.com").is_approved


def test_the_first_account_needs_no_invitation(sign_up, settings):
    settings.SIGNUP = "invitation"
    sign_up("ada@example.com")
    assert User.objects.get().is_admin


def test_links_do_not_work_while_sign_up_is_closed(invited_client, sign_up, settings):
    settings.SIGNUP = "closed"
    sign_up("grace@example.com", invited_client)
    assert not User.objects.filter(email="grace@example.com").exists()


def test_an_invitation_overrides_the_domain_limit(invited_client, sign_up, settings):
    settings.SIGNUP_EMAIL_DOMAINS = ["example.org"]
    sign_up("grace@elsewhere.example", invited_client)
    assert User.objects.get(email="grace@elsewhere.example").is_approved


def test_a_revoked_link_does_not_work(link, admin_client):
    admin_client.post(f"/accounts/invitations/{Invitation.objects.get().pk}/revoke/")
    assert "This invitation is no longer valid" in Client().get(link).content.decode()


def test_an_expired_link_does_not_work(link):
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert Client().get(link).status_code == 410


def test_links_of_former_administrators_do_not_work(link, admin, make_user):
    other = make_user("approved", is_staff=True, is_superuser=True)
    admin.reject(other, "left")
    assert Client().get(link).status_code == 410


def test_a_wrong_secret_does_not_work(db):
    for secret in ("x", "x" * 43, "x" * 4000):
        assert Client().get(f"/accounts/invited/{secret}/").status_code == 410


def test_a_logged_in_user_does_not_use_the_invitation(link, make_user, log_in):
    client = log_in(make_user("approved"))
    assert client.get(link).url == "/"
    assert Invitation.objects.open().exists()
