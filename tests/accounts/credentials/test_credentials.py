"""Where tokens are accepted, and which cookies."""

from base64 import b64encode

import pytest
from django.conf import settings
from django.test import RequestFactory

from accounts.credentials import credentials
from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import AccessDenied, Caller, NotAuthenticated
from accounts.scopes import DEFAULT_SCOPES

HOST = "testserver"


@pytest.fixture(autouse=True)
def _allowed_hosts(settings):
    settings.ALLOWED_HOSTS = [HOST]


def socket(headers=None, query="", subprotocols=()):
    headers = {"host": HOST, **(headers or {})}
    return Credentials.of_scope(
        {
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "query_string": query.encode(),
            "subprotocols": list(subprotocols),
        }
    )


def request(headers=None, query="", **options):
    return Credentials.of_request(RequestFactory().get(f"/?{query}", headers=headers or {}), **options)


LOCATIONS = {
    "Authorization header": {"headers": {"authorization": "Bearer TOKEN"}},
    "lower-case scheme": {"headers": {"authorization": "bearer TOKEN"}},
    "Kyutai's header": {"headers": {"kyutai-api-key": "TOKEN"}},
    "Kyutai's query parameter": {"query": "auth_id=TOKEN"},
    "query parameter": {"query": "rate=16000&token=TOKEN"},
}


@pytest.mark.parametrize("location", LOCATIONS.values(), ids=LOCATIONS.keys())
@pytest.mark.parametrize("transport", [socket, request])
def test_a_token_is_accepted_in_a_header_or_the_query(transport, location):
    assert transport(**location).token == "TOKEN"


def basic(password):
    return {"authorization": f"Basic {b64encode(f'token:{password}'.encode()).decode()}"}


@pytest.mark.parametrize("transport", [socket, request])
def test_an_api_token_is_accepted_as_the_password_in_a_url(transport):
    assert transport(basic("dsm_TOKEN"), "token=another").token == "dsm_TOKEN"


@pytest.mark.parametrize("header", ["origin", "sec-fetch-site"])
@pytest.mark.parametrize("transport", [socket, request])
def test_a_browsers_password_is_ignored(transport, header):
    """It sends one with other sites' requests too."""
    assert transport({**basic("dsm_TOKEN"), header: "x=y"}).token is None


@pytest.mark.parametrize("transport", [socket, request])
@pytest.mark.parametrize(
    "headers",
    [basic("secret"), *({"authorization": f"Basic {text}"} for text in ("??", "/w==", "?dG9rZW46ZHNtX1RPS0VO"))],
)
def test_the_password_of_a_proxy_before_the_site_is_ignored(transport, headers):
    assert transport(headers, "token=TOKEN").token == "TOKEN"


def test_a_token_is_accepted_in_a_subprotocol():
    credentials = socket(subprotocols=["bearer", "TOKEN"])
    assert (credentials.token, credentials.subprotocol) == ("TOKEN", "bearer")


def test_other_subprotocols_are_not_tokens():
    assert socket(subprotocols=["realtime", "x"]) == Credentials()


@pytest.mark.parametrize("offered", [["bearer"], ["chat", "bearer"], ["bearer-x", "TOKEN"], []])
def test_a_subprotocol_without_a_token(offered):
    credentials = socket(subprotocols=offered)
    assert (credentials.token, credentials.subprotocol) == (None, None)


def test_openais_browser_clients_offer_their_own_subprotocol_first():
    offered = ["realtime", "openai-insecure-api-key.TOKEN", "openai-beta.realtime-v1"]
    credentials = socket(subprotocols=offered)
    assert (credentials.token, credentials.subprotocol) == ("TOKEN", "realtime")


def test_a_header_overrides_the_query():
    assert socket({"kyutai-api-key": "one"}, "auth_id=two").token == "one"


def test_an_empty_header_overrides_the_query():
    assert socket({"kyutai-api-key": ""}, "auth_id=two").token == ""


def test_the_query_can_be_ignored():
    assert request(query="auth_id=TOKEN", in_query=False).token is None


def test_an_invalid_token_is_rejected_despite_valid_cookies(make_user, log_in):
    cookies = {"origin": f"http://{HOST}", "cookie": cookie_of(log_in(make_user("approved")))}
    with pytest.raises(NotAuthenticated):
        caller_of(socket(cookies, "token=wrong"))


def cookie_of(client):
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_a_page_of_the_site_needs_no_token(make_user, log_in):
    user = make_user("approved")
    caller = caller_of(socket({"origin": f"http://{HOST}", "cookie": cookie_of(log_in(user))}))
    assert (caller.user, caller.scopes) == (user, DEFAULT_SCOPES)


FOREIGN_ORIGINS = [
    "",
    "null",
    "https://evil.example",
    f"http://{HOST}.evil.example",
    f"http://{HOST}:8001",
    f"//{HOST}@evil",
]


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_cookies_from_another_site_are_ignored(make_user, log_in, origin):
    headers = {"cookie": cookie_of(log_in(make_user("approved"))), **({"origin": origin} if origin else {})}
    with pytest.raises(NotAuthenticated):
        caller_of(socket(headers))


@pytest.mark.parametrize("origin", [*FOREIGN_ORIGINS, f"http://{HOST}"])
def test_http_requests_from_another_site_have_no_cookies(origin):
    headers = {"host": HOST, "cookie": "a=b", **({"origin": origin} if origin else {})}
    assert request(headers).cookies == ({"a": "b"} if origin == f"http://{HOST}" else {})


def test_cookies_under_an_unknown_host_name_are_ignored(make_user, log_in):
    """DNS rebinding: origin and host are equal, but not the site's."""
    headers = {"host": "evil.example", "origin": "http://evil.example"}
    with pytest.raises(NotAuthenticated):
        caller_of(socket({**headers, "cookie": cookie_of(log_in(make_user("approved")))}))


def test_cookies_from_a_trusted_origin_are_accepted(make_user, log_in, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.org"]
    user = make_user("approved")
    headers = {"origin": "https://app.example.org", "cookie": cookie_of(log_in(user))}
    assert caller_of(socket(headers)).user == user


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_browser_of_a_user_who_is_not_approved_is_denied(make_user, log_in, status):
    headers = {"origin": f"http://{HOST}", "cookie": cookie_of(log_in(make_user(status)))}
    with pytest.raises(AccessDenied) as error:
        caller_of(socket(headers))
    assert error.value.code == "not_approved"


def test_a_caller_who_is_logged_in_ends_with_the_login(make_user, log_in):
    client = log_in(make_user("approved"))
    caller = caller_of(socket({"origin": f"http://{HOST}", "cookie": cookie_of(client)}))
    assert caller.session_key == client.session.session_key


def test_an_empty_token_and_one_that_is_too_long_are_explained(make_token, monkeypatch):
    _, text = make_token()
    with pytest.raises(NotAuthenticated, match="is empty"):
        caller_of(Credentials(""))
    monkeypatch.setattr(credentials, "MAX_LENGTH", len(text))
    assert caller_of(Credentials(text))
    monkeypatch.setattr(credentials, "MAX_LENGTH", len(text) - 1)
    with pytest.raises(NotAuthenticated, match="too long"):
        caller_of(Credentials(text))


def test_a_missing_scope_is_an_error(make_token):
    _, text = make_token(scopes="tts")
    caller = caller_of(socket(query=f"token={text}"))
    caller.require("tts")
    with pytest.raises(AccessDenied, match="lacks the scope “stt”") as error:
        caller.require("stt")
    assert error.value.code == "missing_scope"


def test_kyutais_public_token_is_rejected_by_default_and_the_log_says_how_to_accept_it(make_user, caplog):
    make_user("approved", email="kiosk@example.org")
    credentials._log_public_token.cache_clear()
    for _ in range(2):
        with pytest.raises(NotAuthenticated, match="PUBLIC_TOKEN_EMAIL"):
            caller_of(socket({"kyutai-api-key": "public_token"}))
    assert len([record for record in caplog.records if "PUBLIC_TOKEN_EMAIL" in record.getMessage()]) == 1


def test_kyutais_public_token_acts_as_the_configured_account(make_user, settings):
    settings.PUBLIC_TOKEN_EMAIL = "kiosk@example.org"
    user = make_user("approved", email="kiosk@example.org")
    caller = caller_of(socket({"kyutai-api-key": "public_token"}))
    assert (caller.user, caller.scopes) == (user, {"stt", "tts"})
    assert caller.is_public
    assert not Caller(user, caller.scopes).is_public
