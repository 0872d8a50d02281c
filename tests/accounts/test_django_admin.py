import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from tests.accounts.conftest import PASSWORD

LIST = "/admin/accounts/user/"


def act(client, action, *users, **form):
    form = {"action": action, "_selected_action": [user.pk for user in users], **form}
    return client.post(LIST, form, follow=True).content.decode()


def test_the_approve_action(admin_client, make_user, admin):
    user = make_user()
    assert "1 accounts updated" in act(admin_client, "approve", user)
    user.refresh_from_db()
    assert (user.status, user.decided_by) == ("approved", admin)


def test_the_reject_action_with_a_reason(admin_client, make_user):
    users = [make_user(), make_user("approved")]
    act(admin_client, "reject", *users, reason="spam")
    assert {(user.status, user.decision_reason) for user in User.objects.filter(is_staff=False)} == {
        ("rejected", "spam")
    }


def test_administrators_cannot_reject_themselves(admin_client, admin):
    assert "approve or reject your own account" in act(admin_client, "reject", admin)
    assert User.objects.get().is_approved


def test_the_list_is_filtered_by_status(admin_client, make_user):
    make_user("rejected", email="spam@example.com")
    html = admin_client.get(LIST, {"status__exact": "pending"}).content.decode()
    assert "spam@example.com" not in html


def test_a_new_account_is_pending(admin_client):
    form = {"email": "New@Example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    admin_client.post(f"{LIST}add/", form)
    user = User.objects.get(email="new@example.com")
    assert user.status == "pending"
    assert user.check_password(PASSWORD)


def test_a_duplicate_address_in_another_case_is_an_error(admin_client, make_user):
    make_user(email="ada@example.com")
    form = {"email": "ADA@example.com", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    assert "already exists" in admin_client.post(f"{LIST}add/", form).content.decode()


def test_the_approval_status_is_read_only(admin_client, make_user):
    user = make_user()
    form = {"email": user.email, "is_active": "on", "is_staff": "on", "status": "approved"}
    admin_client.post(f"{LIST}{user.pk}/change/", form)
    user.refresh_from_db()
    assert (user.is_staff, user.status) == (True, "pending")


def test_admins_cannot_remove_their_own_permissions(admin_client, admin):
    admin_client.post(f"{LIST}{admin.pk}/change/", {"email": admin.email})
    admin.refresh_from_db()
    assert admin.is_admin
    assert admin.is_superuser


@pytest.mark.parametrize("path", ["{pk}/delete/", ""])
def test_admins_cannot_delete_themselves(admin_client, admin, path):
    form = {"post": "yes", "action": "delete_selected", "_selected_action": [admin.pk]}
    admin_client.post(LIST + path.format(pk=admin.pk), form)
    assert User.objects.filter(pk=admin.pk).exists()


@pytest.fixture
def staff_client(make_user, log_in):
    """A client of an administrator with all permissions for accounts who is not a superuser."""
    staff = make_user("approved", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    return log_in(staff)


def test_only_superusers_can_grant_permissions(staff_client, make_user):
    user = make_user()
    form = {"email": user.email, "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert staff_client.post(f"{LIST}{user.pk}/change/", form).status_code == 302
    user.refresh_from_db()
    assert (user.is_staff, user.is_superuser) == (False, False)


@pytest.mark.parametrize("page", ["change", "password", "delete"])
def test_only_superusers_can_edit_superusers(staff_client, admin, page):
    form = {"email": "evil@example.com", "password1": "evil evil evil", "password2": "evil evil evil", "post": "yes"}
    staff_client.post(f"{LIST}{admin.pk}/{page}/", form)
    stored = User.objects.get(pk=admin.pk)
    assert stored.email == admin.email
    assert stored.check_password(PASSWORD)


def test_the_admin_uses_the_sites_login_page(db):
    assert Client().get("/admin/login/?next=/admin/").url == "/accounts/login/?next=%2Fadmin%2F"
    assert Client().get("/admin/", follow=True).redirect_chain[-1][0].startswith("/accounts/login/")


def test_other_users_are_denied(make_user, log_in):
    assert log_in(make_user("approved")).get("/admin/", follow=True).status_code == 403
