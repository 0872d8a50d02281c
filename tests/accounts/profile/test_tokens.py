import re

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import Token
from tests.accounts.conftest import PASSWORD

FORM = {"name": "My notebook", "scopes": ["stt", "tts"], "days": "30"}


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def client(user, log_in):
    return log_in(user)


def test_a_token_is_created_and_shown_once(client, user):
    created = client.post("/accounts/tokens/", FORM)
    (text,) = re.findall(r"dsm_[\w-]+", created.content.decode())
    assert "no-store" in created["Cache-Control"]
    assert Token.find(text, Token.Kind.API)[1]
    assert Client(headers={"kyutai-api-key": text}).get("/api/v1/me/").status_code == 200
    page = client.get("/accounts/tokens/").content.decode()
    assert "My notebook" in page
    assert text not in page


def test_the_token_has_the_selected_scopes_and_expiry(client, user):
    client.post("/accounts/tokens/", FORM)
    token = Token.objects.get(user=user)
    assert token.scopes == "stt tts"
    assert (token.expires_at - token.created_at).days in (29, 30)


def test_only_the_scopes_without_access_to_stored_data_are_preselected(client):
    page = client.get("/accounts/tokens/").content.decode()
    boxes = re.findall(r'<input[^>]*name="scopes"[^>]*>', page)
    scopes = {re.search(r'value="(\w+)"', box)[1]: "checked" in box for box in boxes}
    assert scopes == {"stt": True, "tts": True, "sessions": False, "admin": False}


def test_a_token_needs_a_scope(client):
    page = client.post("/accounts/tokens/", {**FORM, "scopes": []}).content.decode()
    assert "Select at least one scope." in page


@pytest.mark.parametrize("changes", [{"name": ""}, {"scopes": []}, {"scopes": ["root"]}, {"days": "100000"}])
def test_an_invalid_form_creates_no_token(client, user, changes):
    assert client.post("/accounts/tokens/", {**FORM, **changes}).status_code == 200
    assert not Token.objects.exists()


def test_the_scopes_are_a_group_with_a_name(client):
    page = client.get("/accounts/tokens/").content.decode()
    assert re.search(r'<fieldset class="field">\s*<legend>Scopes</legend>', page)
    assert 'for=""' not in page


def test_an_error_describes_the_group_of_scopes(client):
    page = client.post("/accounts/tokens/", {**FORM, "scopes": []}).content.decode()
    assert '<fieldset class="field" aria-describedby="id_scopes_error">' in page
    assert '<div class="field__error" id="id_scopes_error"><p>Select at least one scope.</p></div>' in page


def test_a_token_without_an_expiry_asks_for_the_password_again(client, user, log_in_with_password):
    form = {**FORM, "days": ""}
    asked = client.post("/accounts/tokens/", form)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert not Token.objects.exists()
    created = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert "dsm_" in created.content.decode()
    assert Token.objects.get().expires_at is None


def test_a_recent_password_is_not_asked_for_again(user, log_in_with_password):
    page = log_in_with_password(user).post("/accounts/tokens/", {**FORM, "days": ""})
    assert "dsm_" in page.content.decode()


def test_a_token_can_be_revoked(client, user, make_token):
    token, _ = make_token(user)
    page = client.post(f"/accounts/tokens/{token.pk}/revoke/", follow=True).content.decode()
    assert "was revoked" in page
    assert not Token.objects.active().exists()


def test_users_cannot_see_or_revoke_tokens_of_others(client, make_token):
    token, _ = make_token()
    assert token.name not in client.get("/accounts/tokens/").content.decode()
    assert client.post(f"/accounts/tokens/{token.pk}/revoke/").status_code == 404
    assert Token.objects.active().filter(pk=token.pk).exists()


def test_an_account_is_limited_to_100_tokens(client, user, make_token):
    for _ in range(100):
        make_token(user)
    assert "The limit is 100 tokens" in client.post("/accounts/tokens/", FORM).content.decode()


def test_the_command_prints_a_token(user, capsys):
    call_command("issue_token", user.email.upper(), "--scopes", "stt,sessions", "--days", "7")
    text = capsys.readouterr().out.strip()
    token, is_valid = Token.find(text, Token.Kind.API)
    assert (is_valid, token.user, token.scopes) == (True, user, "stt sessions")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["unknown@example.org"], "No account"),
        (["{}", "--scopes", "root"], "Unknown scope “root”"),
        (["{}", "--days", "0"], "one day"),
    ],
)
def test_the_command_rejects_invalid_arguments(user, arguments, why):
    with pytest.raises(CommandError, match=why):
        call_command("issue_token", *[argument.format(user.email) for argument in arguments])


def test_the_command_requires_an_approved_account(make_user):
    with pytest.raises(CommandError, match="Approve the account first"):
        call_command("issue_token", make_user("pending").email)
