"""Tickets for the WebSockets of the site's own pages: one opens one socket, once, within 30 seconds.

A ticket ends with the browser's login with which it was requested, and so does its socket. It names the login by a
hash, because it appears in a URL.
"""

from allauth.usersessions.models import UserSession

from accounts.credentials.jwt import tokens
from accounts.credentials.jwt.tokens import TICKET_AUDIENCE, TICKET_LIFETIME, InvalidToken
from accounts.credentials.principal import Caller, session_hash
from accounts.credentials.user_request import UserRequest
from accounts.models import User


def issue(request: UserRequest) -> str:
    """A ticket for the logged-in user. Raises `PermissionDenied` if the user is not approved."""
    key = request.session.session_key or ""
    if not UserSession.objects.filter(session_key=key).exists():
        UserSession.objects.create_from_request(request)  # a login that did not go through allauth's pages
    return tokens.issue(request.user, TICKET_AUDIENCE, TICKET_LIFETIME, login=session_hash(key))


def redeem(ticket: str) -> Caller:
    """The caller, whose account may not be approved any more. Raises `InvalidToken`."""
    claims = tokens.redeem(ticket, TICKET_AUDIENCE)
    if "epoch" not in claims.raw:
        raise InvalidToken("The site didn't issue it.")
    user = tokens.bearer_of(claims)
    key = _session_key(user, claims.raw["login"]) if "login" in claims.raw else ""
    return Caller(user, frozenset(), session_key=key)


def _session_key(user: User, login: object) -> str:
    keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
    key = next((key for key in keys if session_hash(key) == login), None)
    if key is None:
        raise InvalidToken("The browser was logged out.")
    return key
