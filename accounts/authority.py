"""Who may act on whose account: no user can act on a user above them.

Django's admin, the approvals pages, the REST API and the models ask here. Management commands pass no acting user: they
run as the site's operator, who is above all users.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from accounts.models import User


class Rank(IntEnum):
    """The rank of an account. Its approval doesn't matter: a rejected superuser is still above administrators, who
    could otherwise take the account over and approve it."""

    USER = 0
    ADMINISTRATOR = 1
    SUPERUSER = 2


def rank(user: "User") -> Rank:
    if user.is_superuser:
        return Rank.SUPERUSER
    return Rank.ADMINISTRATOR if user.is_staff else Rank.USER


def can_decide(by: "User | None", user: "User") -> bool:
    """Whether `by` may approve or reject `user`, or undo that: administrators may for users of their own rank and
    below."""
    return by is None or (by.is_admin and rank(by) >= rank(user))


def can_control(by: "User | None", user: "User") -> bool:
    """Whether `by` may change the address, password, second factors or permissions of `user`, or delete the account.

    This amounts to using the account, with its permissions. Administrators of equal rank may have different
    permissions, so only superusers may control accounts of their own rank."""
    return by is None or (by.is_admin and (by.is_superuser or rank(by) > rank(user)))
