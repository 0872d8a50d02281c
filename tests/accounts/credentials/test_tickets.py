"""Tickets for the WebSockets of the site's own pages."""

import time

import jwt
import pytest
from allauth.usersessions.models import UserSession
from django.test import RequestFactory

from accounts.credentials.jwt import tickets, tokens
from accounts.credentials.jwt.keys import keys
from accounts.credentials.jwt.tokens import LEEWAY, TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken
from accounts.credentials.principal import session_hash


@pytest.fixture
def user(make_user):
    return make_user("approved")


@pytest.fixture
def browser(user, log_in):
    """A request of a browser in which the user is logged in, after another browser of the same user."""
    log_in(user).post("/api/tickets/")
    return request_of(user, log_in(user))


def request_of(user, client):
    request = RequestFactory().get("/")
    request.user, request.session = user, client.session
    return request


def test_a_ticket_names_the_login_that_requested_it(user, browser):
    caller = tickets.redeem(tickets.issue(browser))
    assert (caller.user, caller.scopes) == (user, frozenset())
    assert caller.session_key == browser.session.session_key


def test_a_login_is_listed_once_however_many_tickets_it_requests(user, browser):
    for _ in range(2):
        tickets.issue(browser)
    assert UserSession.objects.filter(user=user).count() == 2  # there is another browser


def test_a_ticket_names_its_login_by_a_hash(browser):
    claims = jwt.decode(tickets.issue(browser), options={"verify_signature": False})
    assert claims["login"] == session_hash(browser.session.session_key)
    assert browser.session.session_key not in str(claims)


def test_a_ticket_ends_with_its_login(user, browser):
    ticket = tickets.issue(browser)
    UserSession.objects.filter(session_key=browser.session.session_key).delete()
    with pytest.raises(InvalidToken, match="logged out"):
        tickets.redeem(ticket)


def test_a_ticket_cannot_name_the_login_of_another_account(user, browser, make_user, log_in):
    other = make_user("approved")
    tickets.issue(other_browser := request_of(other, log_in(other)))
    stolen = session_hash(other_browser.session.session_key)
    with pytest.raises(InvalidToken, match="logged out"):
        tickets.redeem(tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME, login=stolen))


def test_a_ticket_without_a_login_has_none(user):
    """One of a management command, for tests and measurements."""
    assert tickets.redeem(tokens.issue(user, TICKET_AUDIENCE, TICKET_LIFETIME)).session_key == ""


def test_only_the_site_issues_tickets(user, settings):
    now, key = int(time.time()), keys()[0]
    claims = {"iss": settings.SITE_URL, "aud": TICKET_AUDIENCE, "sub": str(user.pk), "status": "approved"}
    claims |= {"iat": now, "exp": now + 30, "jti": "one"}
    signed = jwt.encode(claims, key.signing_key, headers={"kid": key.id, "typ": "live+jwt"})
    with pytest.raises(InvalidToken, match="didn't issue"):
        tickets.redeem(signed)


def test_a_ticket_of_a_deleted_account_is_invalid(user, browser):
    ticket = tickets.issue(browser)
    user.delete()
    with pytest.raises(InvalidToken, match="no longer exists"):
        tickets.redeem(ticket)


def test_a_ticket_ends_with_a_new_password(user, browser):
    ticket = tickets.issue(browser)
    user.set_password("another horse battery")
    user.save()
    with pytest.raises(InvalidToken, match="new password"):
        tickets.redeem(ticket)


def test_the_account_of_a_ticket_may_not_be_approved_any_more(user, browser, admin):
    """The page says why: that is another error, of those who use the caller."""
    ticket = tickets.issue(browser)
    user.reject(admin)
    assert not tickets.redeem(ticket).user.is_approved


def test_a_used_ticket_is_remembered_until_it_expires_everywhere(browser, monkeypatch):
    remembered = []
    monkeypatch.setattr(tokens.cache, "add", lambda key, value, timeout: remembered.append(timeout) or True)
    tickets.redeem(tickets.issue(browser))
    seconds = (TICKET_LIFETIME + LEEWAY).total_seconds()
    assert seconds < remembered[0] <= seconds + 1  # `exp` is in whole seconds
