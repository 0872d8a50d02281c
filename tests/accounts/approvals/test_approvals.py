import re

import pytest
from django.test import Client

from accounts.models import User

PAGE = "/accounts/approvals/"


@pytest.fixture
def decide(admin_client):
    """Submit a decision on the page: `decide("approve", user, …, reason="", query="")`. Returns the next page."""

    def decide(decision, *users, reason="", query=""):
        form = {"decision": decision, "users": [user.pk for user in users], "reason": reason}
        return admin_client.post(PAGE + query, form, follow=True)

    return decide


def test_pending_accounts_come_first(admin_client, make_user):
    first = make_user()
    make_user("approved"), make_user("rejected")
    assert _emails(admin_client.get(PAGE))[0] == first.email


def test_one_click_approves(decide, make_user, admin):
    user = make_user()
    response = decide("approve", user)
    user.refresh_from_db()
    assert (user.status, user.decided_by) == ("approved", admin)
    assert f"{user.email} approved." in response.content.decode()


def test_one_click_rejects_with_a_reason(decide, make_user):
    user = make_user("approved")
    decide("reject", user, reason=" left the team ")
    user.refresh_from_db()
    assert (user.status, user.decision_reason) == ("rejected", "left the team")


def test_several_accounts_are_approved_together(decide, make_user):
    users = [make_user(), make_user(), make_user("rejected")]
    assert "3 accounts approved." in decide("approve", *users).content.decode()
    assert User.objects.filter(status="approved").count() == 4


def test_selecting_no_account_is_an_error(decide, make_user):
    make_user()
    assert "No accounts selected" in decide("approve").content.decode()


def test_a_deleted_account_is_an_error(decide, make_user):
    deleted = make_user()
    User.objects.filter(pk=deleted.pk).delete()
    assert "no longer exists" in decide("approve", deleted).content.decode()


def test_an_account_that_is_already_approved_is_reported(decide, make_user, admin):
    user = make_user()
    user.approve(admin)
    assert "already approved" in decide("approve", user).content.decode()


def test_admins_cannot_reject_themselves(decide, make_user, admin):
    other = make_user()
    assert "approve or reject your own account" in decide("reject", admin, other).content.decode()
    assert User.objects.get(pk=admin.pk).is_approved
    assert User.objects.get(pk=other.pk).status == "pending"


def test_the_administrators_own_row_has_no_buttons(admin_client, admin):
    html = admin_client.get(PAGE).content.decode()
    assert f'Reject<span class="visually-hidden"> {admin.email}' not in html
    assert f"Select {admin.email}" not in html


def test_a_reason_that_is_too_long_is_an_error(decide, make_user):
    user = make_user()
    decide("reject", user, reason="x" * 501)
    assert User.objects.get(pk=user.pk).status == "pending"


def test_an_unknown_decision_is_an_error(decide, make_user):
    user = make_user()
    decide("delete", user)
    assert User.objects.get(pk=user.pk).status == "pending"


def test_the_search_and_filter_are_kept_after_a_decision(decide, make_user):
    response = decide("approve", make_user(), query="?q=user&status=pending")
    assert response.redirect_chain == [(f"{PAGE}?q=user&status=pending", 302)]


def test_search_finds_part_of_an_address(admin_client, make_user):
    make_user(email="ada@example.com")
    make_user(email="bob@example.com")
    assert _emails(admin_client.get(PAGE, {"q": "ADA"})) == ["ada@example.com"]


def test_the_status_is_a_filter_with_counts(admin_client, make_user):
    make_user(), make_user(), make_user("rejected")
    response = admin_client.get(PAGE, {"status": "rejected"})
    assert len(_emails(response)) == 1
    assert [tab["count"] for tab in response.context["tabs"]] == [4, 2, 1, 1, 0]


def test_deactivated_accounts_are_shown_as_such_and_offer_only_reactivation(admin_client, make_user):
    user = make_user("approved", is_active=False)
    response = admin_client.get(PAGE, {"status": "deactivated"})
    assert _emails(response) == [user.email]
    assert [tab["count"] for tab in response.context["tabs"]] == [2, 0, 1, 0, 1]
    row = re.search(r"<tbody>.*</tbody>", response.content.decode(), re.DOTALL)[0]
    assert "Deactivated" in row
    assert "<button" not in row
    assert "checkbox" not in row
    assert f"/admin/accounts/user/{user.pk}/change/" in row


def test_a_deactivated_account_cannot_be_decided_about(admin_client, make_user):
    user = make_user("pending", is_active=False)
    page = admin_client.post(PAGE, {"decision": "approve", "users": [user.pk]}, follow=True).content.decode()
    assert "is deactivated" in page
    assert User.objects.get(pk=user.pk).status == "pending"


def test_only_a_superuser_is_offered_to_reactivate(make_user, log_in):
    user = make_user("approved", is_active=False)
    page = log_in(make_user("approved", is_staff=True)).get(PAGE).content.decode()
    assert f"/admin/accounts/user/{user.pk}/" not in page


def test_an_unknown_status_shows_all_accounts(admin_client, make_user):
    make_user()
    assert len(_emails(admin_client.get(PAGE, {"status": "' or 1=1"}))) == 2


@pytest.mark.parametrize("query", [{"q": "unknown"}, {"status": "pending"}, {"status": "rejected"}])
def test_an_empty_list_shows_a_message(admin_client, query):
    assert 'class="empty-state"' in admin_client.get(PAGE, query).content.decode()


def test_pages_keep_the_search(admin_client, make_user):
    for _ in range(26):
        make_user()
    first = admin_client.get(PAGE, {"q": "user"})
    assert len(_emails(first)) == 25
    assert "?q=user&amp;page=2" in first.content.decode()
    assert len(_emails(admin_client.get(PAGE, {"q": "user", "page": "2"}))) == 1


def test_the_number_of_queries_does_not_grow_with_the_list(
    admin_client, make_user, admin, django_assert_max_num_queries
):
    for _ in range(20):
        make_user().reject(admin, "no")
    with django_assert_max_num_queries(8):
        admin_client.get(PAGE)


def test_addresses_and_reasons_are_escaped(admin_client, admin, make_user):
    make_user().reject(admin, "<script>alert(1)</script>")
    html = admin_client.get(PAGE, {"q": '"><script>'}).content.decode() + admin_client.get(PAGE).content.decode()
    assert "<script>alert" not in html
    assert '"><script>' not in html


def test_unconfirmed_addresses_are_marked(admin_client, make_user, settings):
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    make_user()
    assert "email not confirmed" in admin_client.get(PAGE).content.decode()


def test_enter_in_a_reason_field_never_approves(admin_client, make_user):
    make_user()
    html = admin_client.get(PAGE).content.decode()
    for form in re.findall(r"<form.*?</form>", html, re.DOTALL):
        if 'name="reason"' in form:
            assert re.search(r'name="decision" value="(\w+)"', form)[1] == "reject"


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}undo/"])
def test_only_admins_have_access(make_user, log_in, path):
    user, other = make_user("approved"), make_user()
    client = log_in(user)
    assert client.get(PAGE).status_code == 403
    assert client.post(path, {"decision": "approve", "users": other.pk}).status_code == 403
    assert User.objects.get(pk=other.pk).status == "pending"


def test_a_decision_requires_a_csrf_token(admin, make_user):
    client, user = Client(enforce_csrf_checks=True), make_user()
    client.force_login(admin)
    assert client.post(PAGE, {"decision": "approve", "users": user.pk}).status_code == 403
    assert User.objects.get(pk=user.pk).status == "pending"


def test_a_get_request_changes_nothing(admin_client, make_user):
    user = make_user()
    admin_client.get(PAGE, {"decision": "approve", "users": user.pk})
    assert User.objects.get(pk=user.pk).status == "pending"


def _emails(response) -> list[str]:
    return [user.email for user in response.context["page_obj"]]
