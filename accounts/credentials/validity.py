"""Whether callers are still valid: what a credential opened ends with it. Asks the database, never the token cache.

docs/security.md has the table of what ends what.
"""

from collections.abc import Collection, Sequence
from http import HTTPStatus
from typing import Any

from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from accounts.credentials import denied_tokens
from accounts.credentials.principal import AccessDenied, Caller, approval_reason
from accounts.models import Token, User
from accounts.models.user import DELETED

NEW_LOGIN = "Log in again."
NEW_TOKEN = "Use another token, or create one under Your account > Tokens."  # noqa: S105  (no password)


class AccountEnded(AccessDenied):
    """The account is not approved any more, or no longer exists."""

    def __init__(self, what: str, why: str, action: str = "") -> None:
        action = action or f"Check your account status at {reverse('approval_status')}, or ask your administrator."
        super().__init__("not_approved", what, why, action)


class CredentialsEnded(AccessDenied):
    """The account is approved, but what the caller was authenticated with has ended."""

    status = HTTPStatus.UNAUTHORIZED

    def __init__(self, what: str, why: str, action: str) -> None:
        super().__init__("not_authenticated", what, why, action)


def check_all(callers: Sequence[Caller]) -> list[AccessDenied | None]:
    """What has ended each caller; None for those who are still valid. Needs at most three queries."""
    users = _by_pk(User.objects.defer("password"), {caller.user.pk for caller in callers})
    tokens = _by_pk(Token.objects.all(), {caller.token for caller in callers if caller.token})
    sessions = _existing({caller.session_key for caller in callers if caller.session_key})
    denied = denied_tokens.denied([jwt_id for caller in callers for jwt_id in caller.jwt_ids])
    ended: list[AccessDenied | None] = []
    for caller in callers:
        problem: AccessDenied | None = _account_problem(users.get(str(caller.user.pk)))
        if problem is None and not caller.is_job:
            user, token = users[str(caller.user.pk)], tokens.get(caller.token)
            is_logged_in = not caller.session_key or caller.session_key in sessions
            problem = _credentials_problem(caller, user, token, not denied.isdisjoint(caller.jwt_ids), is_logged_in)
        ended.append(problem)
    return ended


def _account_problem(user: User | None) -> AccountEnded | None:
    if user is None or (not user.is_active and user.decision_reason == DELETED):
        return AccountEnded(
            "Your account was deleted.", "You or an administrator deleted it.", "Ask your administrator."
        )
    if not user.is_active:
        return AccountEnded("Your account was deactivated.", approval_reason(user))
    if user.status == User.Status.REJECTED:
        return AccountEnded("Your account was rejected.", approval_reason(user))
    if not user.is_approved:
        return AccountEnded("Your account is not approved.", approval_reason(user))
    return None


def _credentials_problem(
    caller: Caller, user: User, token: Token | None, is_denied: bool, is_logged_in: bool
) -> CredentialsEnded | None:
    now = timezone.now()
    if is_denied or (caller.token and (token is None or token.revoked_at)):
        return CredentialsEnded("The token was revoked.", "It was revoked, or it was used twice.", NEW_TOKEN)
    if token is not None:
        is_of_this_epoch, action = token.epoch == user.credentials_epoch, NEW_TOKEN
    else:
        is_of_this_epoch, action = caller.user.credentials_epoch == user.credentials_epoch, NEW_LOGIN
    if not is_of_this_epoch:
        why = "It ends everything that was opened with earlier credentials, as does a rejection."
        return CredentialsEnded("Your password was changed.", why, action)
    if (caller.ends_at and caller.ends_at <= now) or (token is not None and token.is_expired):
        return CredentialsEnded("The token has expired.", "What it opened ends with it.", NEW_TOKEN)
    if not is_logged_in:
        why = "You logged out in this browser, or logged this browser out in another one."
        return CredentialsEnded("You logged out.", why, NEW_LOGIN)
    return None


def _by_pk(rows: Any, pks: Collection[Any]) -> dict[str, Any]:
    return {str(row.pk): row for row in rows.filter(pk__in=pks)} if pks else {}


def _existing(session_keys: Collection[str]) -> set[str]:
    if not session_keys:
        return set()
    sessions = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return set(sessions.values_list("session_key", flat=True))
