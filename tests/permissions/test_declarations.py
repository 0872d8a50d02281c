"""What accepts a token declares what the token needs; what declares nothing refuses every token."""

from dataclasses import replace

import pytest
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory
from rest_framework.views import APIView

from accounts.credentials.throttling import AccountThrottle
from accounts.scopes import ANY_SCOPE, BROWSER_ONLY, TTS, UnknownScope
from speech.dialects.api_view import api_view
from speech.dialects.openai.errors import error_response
from tests.permissions.requests import SITE, path_of, send
from tests.permissions.rules import OK, URLS, Who

pytestmark = pytest.mark.django_db


class Forgetful(APIView):
    def get(self, request):
        return Response("what no token gives access to")


class ForSpeech(Forgetful):
    scope = TTS


class ForAll(Forgetful):
    scope = ANY_SCOPE


def names_of_programs_with_access(view: type[APIView], roles) -> set[str]:
    answers = {}
    for role in roles:
        if role.is_program:
            request = APIRequestFactory().get("/", headers={"Authorization": f"Bearer {role.token}"})
            answers[role.name] = view.as_view()(request)
    assert {answer.status_code for answer in answers.values()} <= {200, 401, 403}
    assert all(
        answer.data.keys() == {"code", "what", "why", "action"} for answer in answers.values() if answer.exception
    )
    return {name for name, answer in answers.items() if answer.status_code == 200}


def test_a_view_without_a_scope_refuses_every_token(clients):
    assert names_of_programs_with_access(Forgetful, clients) == set()


def test_a_view_with_a_scope_accepts_tokens_that_have_it(clients):
    approved = {
        role for role in clients if role.is_program and role.account not in ("anonymous", "pending", "rejected")
    }
    assert names_of_programs_with_access(ForSpeech, clients) == {role.name for role in approved if TTS in role.scopes}
    assert names_of_programs_with_access(ForAll, clients) == {role.name for role in approved}


@pytest.mark.parametrize("scope", [None, "", BROWSER_ONLY, "text to speech"])
def test_a_dialects_view_without_a_scope_cannot_be_declared(scope):
    async def view(request, caller): ...

    with pytest.raises(UnknownScope, match="declares no scope"):
        api_view(scope, error_response)(view)


APIS = [url for url in SITE if URLS[url.name].is_api and URLS[url.name].who is not Who.EVERYONE_BUT_UNAPPROVED_BROWSERS]


@pytest.mark.parametrize("url", APIS, ids=lambda url: url.name)
def test_every_url_that_authenticates_tokens_has_a_rate_limit(url, clients, monkeypatch):
    monkeypatch.setattr(
        AccountThrottle, "THROTTLE_RATES", {"programs": "0/min", "browsers": "0/min", "tickets": "1/min"}
    )
    rule = replace(URLS[url.name], exists=True)
    allowed = [client for role, client in clients.items() if rule.outcome(role) == OK]
    assert {send(client, "POST", path_of(url)).status_code for client in allowed} == {429}
