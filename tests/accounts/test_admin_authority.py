"""What an administrator with every permission who is not a superuser can do in Django's admin: nothing to a user of the
same or a higher rank, and nothing that would raise their own."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin as django_admin
from django.contrib.auth.models import Group, Permission
from django.forms import model_to_dict

from accounts.models import User

USERS, FACTORS, GROUPS = "/admin/accounts/user/", "/admin/mfa/authenticator/", "/admin/auth/group/"
NEW_PASSWORD = "evil evil evil"
FLAGS = {"superuser": {"is_staff": True, "is_superuser": True}, "administrator": {"is_staff": True}, "user": {}}
ABOVE = ["superuser", "rejected superuser", "administrator", "own account"]


def test_every_registered_model_is_covered_here():
    registered = {model._meta.label for model in django_admin.site._registry}
    assert registered == {"accounts.User", "accounts.DecisionEntry", "mfa.Authenticator", "auth.Group"}, (
        "Cover the new model here: its admin must ask accounts.authority before it shows or changes a user's data."
    )


@pytest.fixture
def staff(make_user):
    staff = make_user("approved", is_staff=True, email="staff@example.com")
    staff.user_permissions.set(Permission.objects.all())
    return staff


@pytest.fixture
def client(staff, log_in):
    return log_in(staff)


@pytest.fixture
def target_of(make_user, staff):
    """The account of a rank, with a second factor: `target_of("superuser")`."""

    def target_of(rank):
        status = "rejected" if rank.startswith("rejected") else "approved"
        fields = FLAGS.get(rank.removeprefix("rejected "), {})
        user = staff if rank == "own account" else make_user(status, email="target@example.com", **fields)
        Authenticator.objects.create(user=user, type="totp", data={"secret": "top secret"})
        return user

    return target_of


CHANGES = {
    "address": ("change", {"email": "evil@example.com"}),
    "permissions": ("change", {"email": "target@example.com", "is_active": "on", "is_superuser": "on"}),
    "deactivation": ("change", {"email": "target@example.com"}),
    "password": ("password", {"usable_password": "true", "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}),
    "no password": ("password", {"usable_password": "false", "unset-password": "1"}),
    "deletion": ("delete", {"post": "yes"}),
}
ACTIONS = [
    (rank, action)
    for rank in ABOVE
    for action in ("reject", "approve", "confirm_address", "delete_selected")
    if (rank, action) not in {("administrator", "reject"), ("administrator", "approve")}  # allowed: test_authority.py
]


def account(user):
    """All fields of the account, its permissions and its second factors. `last_login` changes when it logs in."""
    stored = User.objects.filter(pk=user.pk).first()
    if stored is None:
        return None
    fields = {name: value for name, value in model_to_dict(stored).items() if name != "last_login"}
    factors = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    confirmed = list(user.emailaddress_set.filter(verified=True).values_list("email", flat=True))
    return fields, stored.password, factors, confirmed


@pytest.mark.parametrize("rank", ABOVE)
@pytest.mark.parametrize(("page", "form"), CHANGES.values(), ids=CHANGES)
def test_accounts_of_equal_or_higher_rank_cannot_be_changed(client, target_of, rank, page, form):
    target = target_of(rank)
    before = account(target)
    assert client.post(f"{USERS}{target.pk}/{page}/", form).status_code == 403
    assert account(target) == before


@pytest.mark.parametrize(("rank", "action"), ACTIONS)
def test_bulk_actions_do_not_change_accounts_of_equal_or_higher_rank(client, target_of, make_user, rank, action):
    target, other = target_of(rank), make_user("pending", email="other@example.com")
    before, other_before = account(target), account(other)
    form = {"action": action, "_selected_action": [target.pk, other.pk], "post": "yes"}
    client.post(USERS, form)
    assert (account(target), account(other)) == (before, other_before)


def submit(client, user, change):
    page, form = CHANGES[change]
    assert client.post(f"{USERS}{user.pk}/{page}/", form).status_code == 302
    return User.objects.filter(pk=user.pk).first()


def test_the_address_and_password_of_users_can_be_changed(client, target_of):
    target = target_of("user")
    assert submit(client, target, "address").email == "evil@example.com"
    assert submit(client, target, "password").check_password(NEW_PASSWORD)
    assert not submit(client, target, "no password").has_usable_password()
    assert submit(client, target, "deletion") is None


@pytest.mark.parametrize("change", ["permissions", "deactivation"])
def test_the_permissions_of_users_are_read_only(client, target_of, change):
    stored = submit(client, target_of("user"), change)
    assert (stored.is_active, stored.is_staff, stored.is_superuser) == (True, False, False)


@pytest.mark.parametrize("rank", ABOVE)
def test_second_factors_of_equal_or_higher_rank_cannot_be_removed(client, target_of, rank):
    target = target_of(rank)
    factor = Authenticator.objects.get(user=target)
    assert client.post(f"{FACTORS}{factor.pk}/delete/", {"post": "yes"}).status_code == 403
    client.post(FACTORS, {"action": "delete_selected", "_selected_action": [factor.pk], "post": "yes"})
    assert Authenticator.objects.filter(pk=factor.pk).exists()


def test_a_lost_second_factor_of_a_user_can_be_removed(client, target_of):
    factor = Authenticator.objects.get(user=target_of("user"))
    Authenticator.objects.create(user=factor.user, type="recovery_codes", data={})
    client.post(FACTORS, {"action": "delete_selected", "_selected_action": [factor.pk], "post": "yes"})
    assert not Authenticator.objects.exists()  # nor are its recovery codes asked for any longer


@pytest.mark.parametrize("rank", [*ABOVE, "user"])
def test_second_factors_are_neither_shown_nor_changed_nor_added(client, admin_client, target_of, rank):
    factor = Authenticator.objects.get(user=target_of(rank))
    form = {"user": factor.user_id, "type": "totp", "data": "{}"}
    for each in (client, admin_client):
        for path in ("", f"{factor.pk}/change/", f"{factor.pk}/history/", f"{factor.pk}/delete/"):
            page = each.get(f"{FACTORS}{path}")
            assert page.status_code in (200, 403)
            assert "top secret" not in page.content.decode()
        assert each.post(f"{FACTORS}{factor.pk}/change/", form).status_code == 403
        assert each.post(f"{FACTORS}add/", form).status_code == 403
    assert Authenticator.objects.get().data == {"secret": "top secret"}


SECRET_LOOKUPS = [
    (USERS, "password__startswith"),
    (USERS, "decided_by__password__startswith"),
    (USERS, "tokens__digest__startswith"),
    (USERS, "authenticator__data__contains"),
    ("/admin/accounts/decisionentry/", "account__password__startswith"),
    ("/admin/accounts/decisionentry/", "by__password__startswith"),
    (FACTORS, "data__contains"),
    (FACTORS, "data__secret__startswith"),
    (FACTORS, "user__password__startswith"),
]


@pytest.mark.parametrize(("path", "lookup"), SECRET_LOOKUPS)
def test_secrets_cannot_be_found_out_by_filtering(client, path, lookup):
    assert client.get(path, {lookup: "x"}).status_code == 400


@pytest.mark.parametrize("field", ["password", "email"])
def test_secrets_cannot_be_found_out_by_references(client, target_of, field):
    target = target_of("superuser")
    assert client.get(USERS, {"_to_field": field}).status_code == 400
    assert client.get(f"{USERS}{target.pk}/change/", {"_to_field": field}).status_code == 400


def test_the_page_of_a_superuser_is_read_only_and_shows_no_password_hash(client, admin, target_of):
    html = client.get(f"{USERS}{admin.pk}/change/").content.decode()
    assert admin.password not in html
    assert 'name="_save"' not in html
    assert client.get(f"{USERS}{admin.pk}/history/").status_code == 200


def test_administrators_cannot_change_groups_and_so_raise_their_own_permissions(client, staff):
    group = Group.objects.create(name="helpers")
    staff.groups.add(group)
    form = {"name": "helpers", "permissions": [Permission.objects.first().pk]}
    for path in ("", "add/", f"{group.pk}/change/", f"{group.pk}/delete/", f"{group.pk}/history/"):
        assert client.get(f"{GROUPS}{path}").status_code == 403
        assert client.post(f"{GROUPS}{path}", {**form, "post": "yes"}).status_code == 403
    assert Group.objects.get().permissions.count() == 0


def test_superusers_manage_groups(admin_client):
    assert admin_client.post(f"{GROUPS}add/", {"name": "helpers"}).status_code == 302
    assert Group.objects.get().name == "helpers"


@pytest.mark.parametrize("path", ["account/emailaddress", "usersessions/usersession", "accounts/token"])
def test_models_that_know_no_ranks_are_not_in_the_admin(admin_client, path):
    for page in ("", "add/", "1/change/", "1/delete/"):
        assert admin_client.get(f"/admin/{path}/{page}").status_code == 404


def test_administrators_without_permissions_see_nothing(make_user, log_in, admin):
    client = log_in(make_user("approved", is_staff=True))
    assert client.get("/admin/").status_code == 200
    for path in (USERS, f"{USERS}{admin.pk}/change/", "/admin/accounts/decisionentry/", FACTORS, GROUPS):
        assert client.get(path, follow=True).status_code in (403, 404)


def test_ones_own_password_is_changed_on_the_sites_page(client):
    assert client.get("/admin/password_change/").url == "/accounts/password/change/"
    assert client.post("/admin/password_change/", {"new_password1": NEW_PASSWORD}).url == "/accounts/password/change/"
