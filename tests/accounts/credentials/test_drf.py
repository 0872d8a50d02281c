import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.credentials.drf import IsApproved


class SecretView(APIView):
    permission_classes = (IsApproved,)

    def get(self, request):
        return Response("secret")


def get(user):
    request = APIRequestFactory().get("/")
    force_authenticate(request, user)
    return SecretView.as_view()(request)


def test_approved_users_have_access(make_user):
    assert get(make_user("approved")).data == "secret"


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_other_users_are_denied_with_an_explanation(make_user, status):
    response = get(make_user(status))
    assert (response.status_code, response.data["code"]) == (403, "not_approved")
    assert all(response.data[key] for key in ("what", "why", "action"))


def test_rejected_users_see_the_reason(make_user):
    assert get(make_user("rejected", decision_reason="spam")).data["why"] == "spam"


def test_anonymous_users_are_denied(db):
    assert get(AnonymousUser()).status_code == 403


def test_pending_users_get_no_ticket(make_user, log_in):
    assert log_in(make_user()).post("/api/tickets/").json()["code"] == "not_approved"
