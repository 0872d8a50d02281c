import pytest
from django.contrib.auth.models import AnonymousUser
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from accounts.credentials.drf import BrowserAuthentication, HasScope, IsApproved
from accounts.credentials.principal import Caller
from accounts.scopes import STT


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


class BrowserView(SecretView):
    permission_classes = (HasScope,)
    authentication_classes = (BrowserAuthentication,)


class ScopedView(SecretView):
    permission_classes = (HasScope,)
    scope = STT


@pytest.mark.parametrize("status", ["pending", "approved"])
def test_the_permission_itself_denies_a_browser_of_a_user_who_is_not_approved(make_user, status):
    """Without the middleware, which denies it too."""
    request = APIRequestFactory().get("/")
    request.user = make_user(status)
    assert BrowserView.as_view()(request).status_code == (200 if status == "approved" else 403)


def test_an_anonymous_request_counts_against_no_browsers_limit(db):
    """Its limit would be that of everyone in the same network."""
    request = APIRequestFactory().get("/")
    request.user = AnonymousUser()
    request = BrowserView().initialize_request(request)
    assert BrowserAuthentication().authenticate(request) is None
    assert not hasattr(request, "throttle")


def test_an_authentication_that_is_neither_a_token_nor_a_browsers_login_gives_no_access(make_user):
    user = make_user("approved")
    for auth, status in ((None, 403), ("a text", 403), (Caller(user, frozenset({STT})), 200)):
        request = APIRequestFactory().get("/")
        force_authenticate(request, user, auth)
        assert ScopedView.as_view()(request).status_code == status


def test_pending_users_get_no_ticket(make_user, log_in):
    assert log_in(make_user()).post("/api/tickets/").json()["code"] == "not_approved"
