import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.credentials.drf import IsApproved


class Secret(APIView):
    permission_classes = (IsApproved,)

    def get(self, request):
        return Response("secret")


def ask(user):
    request = APIRequestFactory().get("/")
    force_authenticate(request, user)
    return Secret.as_view()(request)


def test_the_approved_may(make_user):
    assert ask(make_user("approved")).data == "secret"


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_nobody_else_may_and_each_is_told_why(make_user, status):
    response = ask(make_user(status))
    assert (response.status_code, response.data["code"]) == (403, "not_approved")
    assert all(response.data[part] for part in ("what", "why", "action"))


def test_the_rejected_read_the_reason(make_user):
    assert ask(make_user("rejected", decision_reason="spam")).data["why"] == "spam"


def test_the_anonymous_may_not(db):
    assert ask(AnonymousUser()).status_code == 403


def test_a_ticket_is_refused_to_the_pending(make_user, log_in):
    assert log_in(make_user()).post("/api/tickets/").json()["code"] == "not_approved"
