"""No user can act on a user above them, on the approvals page, in the REST API and in the models."""

import pytest

from accounts.authority import can_control, can_decide
from accounts.models import DecisionError, User

APPROVALS = "/accounts/approvals/"


@pytest.fixture
def ranks(make_user):
    """An approved account of each rank, and another of the same rank: `ranks["user"]`, `ranks["another user"]` …"""
    flags = {"user": {}, "administrator": {"is_staff": True}, "superuser": {"is_staff": True, "is_superuser": True}}
    return {
        f"{prefix}{rank}": make_user("approved", email=f"{prefix}{rank}@example.com".replace(" ", "-"), **fields)
        for rank, fields in flags.items()
        for prefix in ("", "another ")
    }


# Acting account, target, may decide, may control:
RULES = [
    ("user", "another user", False, False),
    ("user", "administrator", False, False),
    ("user", "superuser", False, False),
    ("administrator", "user", True, True),
    ("administrator", "another administrator", True, False),
    ("administrator", "superuser", False, False),
    ("superuser", "user", True, True),
    ("superuser", "administrator", True, True),
    ("superuser", "another superuser", True, True),
]


@pytest.mark.parametrize(("by", "target", "decides", "controls"), RULES)
def test_who_may_act_on_whom(ranks, by, target, decides, controls):
    assert can_decide(ranks[by], ranks[target]) is decides
    assert can_control(ranks[by], ranks[target]) is controls


@pytest.mark.parametrize("target", ["user", "administrator", "superuser"])
def test_commands_act_as_the_operator_above_all_users(ranks, target):
    assert can_decide(None, ranks[target])
    assert can_control(None, ranks[target])


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_an_account_that_is_not_approved_has_no_authority(make_user, status):
    superuser = make_user(status, is_staff=True, is_superuser=True)
    assert not can_decide(superuser, make_user())
    assert not can_control(superuser, make_user())


def test_a_rejected_superuser_is_still_above_administrators(ranks):
    ranks["superuser"].reject(None, "by mistake")
    with pytest.raises(DecisionError, match="is a superuser and you aren't"):
        ranks["superuser"].approve(ranks["administrator"])


@pytest.mark.parametrize(("by", "target", "decides", "controls"), RULES)
def test_decisions_follow_the_rule(ranks, by, target, decides, controls):
    if decides:
        ranks[target].reject(ranks[by], "no")
    else:
        with pytest.raises(DecisionError):
            ranks[target].reject(ranks[by], "no")
    assert User.objects.get(pk=ranks[target].pk).is_approved is not decides


def test_a_decision_about_a_superuser_among_others_changes_no_account(ranks):
    with pytest.raises(DecisionError):
        User.objects.filter(pk__in=[ranks["user"].pk, ranks["superuser"].pk]).reject(ranks["administrator"])
    assert User.objects.get(pk=ranks["user"].pk).is_approved


def test_an_administrator_cannot_undo_a_decision_about_an_account_that_became_a_superusers(ranks, log_in):
    client, user = log_in(ranks["administrator"]), ranks["user"]
    page = client.post(APPROVALS, {"decision": "reject", "users": [user.pk]}, follow=True)
    User.objects.filter(pk=user.pk).update(is_staff=True, is_superuser=True)
    client.post(f"{APPROVALS}undo/", {"decision": page.context["undo"]["at"]})
    assert User.objects.get(pk=user.pk).status == "rejected"


def test_the_approvals_page_refuses_decisions_about_superusers(ranks, log_in):
    form = {"decision": "reject", "users": [ranks["superuser"].pk]}
    page = log_in(ranks["administrator"]).post(APPROVALS, form, follow=True).content.decode()
    assert "is a superuser and you aren" in page
    assert User.objects.get(pk=ranks["superuser"].pk).is_approved


def test_the_approvals_page_offers_only_decisions_that_are_allowed(ranks, log_in):
    page = log_in(ranks["administrator"]).get(APPROVALS).content.decode()
    assert "Select another-administrator@example.com" in page
    assert "Select superuser@example.com" not in page
    assert 'Reject<span class="visually-hidden"> superuser@example.com' not in page
    assert "Superusers only" in page


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_the_rest_api_refuses_decisions_about_superusers(ranks, log_in, verb):
    User.objects.filter(pk=ranks["superuser"].pk).update(status="rejected" if verb == "approve" else "approved")
    before = User.objects.get(pk=ranks["superuser"].pk).status
    path = f"/api/v1/users/{ranks['superuser'].pk}/{verb}/"
    response = log_in(ranks["administrator"]).post(path, {}, content_type="application/json")
    assert response.status_code == 403
    assert User.objects.get(pk=ranks["superuser"].pk).status == before
