import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Token

FORM = {"name": "My notebook", "scopes": ["stt", "tts"], "days": "30"}


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def client(user, log_in):
    return log_in(user)


def test_a_token_is_made_and_shown_this_once(client, user):
    made = client.post("/accounts/tokens/", FORM)
    (text,) = re.findall(r"dsm_[\w-]+", made.content.decode())
    assert "no-store" in made["Cache-Control"]
    assert Token.find(text, Token.Kind.API)[1]
    assert Client(headers={"kyutai-api-key": text}).post("/api/tickets/").status_code == 200
    listed = client.get("/accounts/tokens/").content.decode()
    assert "My notebook" in listed
    assert text not in listed


def test_it_has_what_was_ticked_and_ends_when_it_should(client, user):
    client.post("/accounts/tokens/", FORM)
    token = Token.objects.get(user=user)
    assert token.scopes == "stt tts"
    assert (token.expires_at - token.created_at).days in (29, 30)


@pytest.mark.parametrize("changes", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"days": "100000"}])
def test_a_form_that_is_not_right_makes_none(client, user, changes):
    assert client.post("/accounts/tokens/", {**FORM, **changes}).status_code == 200
    assert not Token.objects.exists()


def test_a_revoked_token_is_gone_from_the_page(client, user, make_token):
    token, _ = make_token(user)
    page = client.post(f"/accounts/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "was revoked" in page
    assert not Token.objects.active().exists()


def test_nobody_sees_or_revokes_the_token_of_another(client, make_token):
    token, _ = make_token()
    assert token.name not in client.get("/accounts/tokens/").content.decode()
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert Token.objects.active().filter(pk=token.pk).exists()


def test_an_account_has_a_hundred_at_most(client, user, make_token):
    for _ in range(100):
        make_token(user)
    assert "100 tokens at most" in client.post("/accounts/tokens/", FORM).content.decode()


# --- At the command line ----------------------------------------------------------------------------------------------


def test_a_token_is_printed(user, capsys):
    call_command("issue_token", user.email.upper(), "--scopes", "stt,sessions", "--days", "7")
    text = capsys.readouterr().out.strip()
    token, is_right = Token.find(text, Token.Kind.API)
    assert (is_right, token.user, token.scopes) == (True, user, "stt sessions")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nobody@example.org"], "no account"),
        (["{}", "--scopes", "root"], "no scope “root”"),
        (["{}", "--days", "0"], "no day"),
    ],
)
def test_what_cannot_be_is_told(user, arguments, why):
    with pytest.raises(CommandError, match=why):
        call_command("issue_token", *[argument.format(user.email) for argument in arguments])


def test_an_account_that_is_not_approved_gets_none(make_user):
    with pytest.raises(CommandError, match="Approve the account first"):
        call_command("issue_token", make_user("pending").email)
