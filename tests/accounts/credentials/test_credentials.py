"""Where a token may lie, and whose cookies count."""

import pytest
from django.conf import settings
from django.test import RequestFactory

from accounts.credentials.credentials import Credentials, caller_of
from accounts.credentials.principal import AccessDenied, NotAuthenticated
from accounts.scopes import ALL

HOST = "testserver"


@pytest.fixture(autouse=True)
def _hosts(settings):
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


PLACES = {
    "a bearer": {"headers": {"authorization": "Bearer TOKEN"}},
    "a bearer in small letters": {"headers": {"authorization": "bearer TOKEN"}},
    "Kyutai's header": {"headers": {"kyutai-api-key": "TOKEN"}},
    "Kyutai's query": {"query": "auth_id=TOKEN"},
    "the query": {"query": "rate=16000&token=TOKEN"},
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize("door", [socket, request])
def test_a_token_may_lie_in(door, place):
    assert door(**place).token == "TOKEN"


def test_a_browser_offers_its_token_as_a_subprotocol_and_hears_which_was_taken():
    credentials = socket(subprotocols=["bearer", "TOKEN"])
    assert (credentials.token, credentials.subprotocol) == ("TOKEN", "bearer")


def test_other_subprotocols_are_no_token():
    assert socket(subprotocols=["realtime", "x"]) == Credentials()


def test_a_header_goes_before_the_query():
    assert socket({"kyutai-api-key": "one"}, "auth_id=two").token == "one"


def test_an_empty_header_is_there_as_well():
    assert socket({"kyutai-api-key": ""}, "auth_id=two").token == ""


def test_a_query_may_be_left_out_of_account():
    assert request(query="auth_id=TOKEN", in_query=False).token is None


def test_what_is_there_and_wrong_is_refused_whatever_else_there_is(make_user, log_in):
    cookies = {"origin": f"http://{HOST}", "cookie": cookie_of(log_in(make_user("approved")))}
    with pytest.raises(NotAuthenticated):
        caller_of(socket(cookies, "token=wrong"))


def cookie_of(client):
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


def test_a_page_of_the_site_needs_no_token(make_user, log_in):
    user = make_user("approved")
    caller = caller_of(socket({"origin": f"http://{HOST}", "cookie": cookie_of(log_in(user))}))
    assert (caller.user, caller.scopes) == (user, ALL)


ELSEWHERE = ["", "null", "https://evil.example", f"http://{HOST}.evil.example", f"http://{HOST}:8001", f"//{HOST}@evil"]


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_page_of_another_site_is_nobody(make_user, log_in, origin):
    headers = {"cookie": cookie_of(log_in(make_user("approved"))), **({"origin": origin} if origin else {})}
    with pytest.raises(NotAuthenticated):
        caller_of(socket(headers))


def test_a_page_under_a_name_that_is_not_the_sites_is_nobody(make_user, log_in):
    """As after DNS rebinding: origin and host agree, and neither is ours."""
    headers = {"host": "evil.example", "origin": "http://evil.example"}
    with pytest.raises(NotAuthenticated):
        caller_of(socket({**headers, "cookie": cookie_of(log_in(make_user("approved")))}))


def test_a_page_of_an_origin_that_is_trusted(make_user, log_in, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example.org"]
    user = make_user("approved")
    headers = {"origin": "https://app.example.org", "cookie": cookie_of(log_in(user))}
    assert caller_of(socket(headers)).user == user


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_a_browser_of_one_who_is_not_approved(make_user, log_in, status):
    headers = {"origin": f"http://{HOST}", "cookie": cookie_of(log_in(make_user(status)))}
    with pytest.raises(AccessDenied) as refused:
        caller_of(socket(headers))
    assert refused.value.code == "not_approved"


def test_a_scope_that_a_token_lacks(make_token):
    _, text = make_token(scopes="tts")
    caller = caller_of(socket(query=f"token={text}"))
    caller.require("tts")
    with pytest.raises(AccessDenied, match="lacks the scope “stt”") as refused:
        caller.require("stt")
    assert refused.value.code == "missing_scope"


# --- The token that Kyutai's clients send -----------------------------------------------------------------------------


def test_the_public_token_opens_nothing_unless_a_setting_says_so(make_user):
    make_user("approved", email="kiosk@example.org")
    with pytest.raises(NotAuthenticated):
        caller_of(socket({"kyutai-api-key": "public_token"}))


def test_the_public_token_acts_in_the_name_of_the_account_of_the_setting(make_user, settings):
    settings.PUBLIC_TOKEN_EMAIL = "kiosk@example.org"
    user = make_user("approved", email="kiosk@example.org")
    caller = caller_of(socket({"kyutai-api-key": "public_token"}))
    assert (caller.user, caller.scopes) == (user, {"stt", "tts"})
