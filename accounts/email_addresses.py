"""The email address of an account. An account has one, and it changes only with proof that it is the user's, or by an
administrator. The approval log records every change.

An address that is requested but not proven is stored nowhere except in the link that is sent to it, so nothing on the
site takes it for the user's. allauth's table `EmailAddress` has one entry per account: its address, and whether it is
confirmed.
"""

from datetime import timedelta
from functools import partial

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef

from accounts import mail
from accounts.models import DecisionEntry, User

SALT = "accounts.email_addresses"
LINK_LIFETIME = timedelta(days=1)

is_confirmed = Exists(EmailAddress.objects.filter(user=OuterRef("pk"), email=OuterRef("email"), verified=True))
"""For queries of users: whether the account's address is confirmed."""


class AddressTaken(Exception):
    """Another account has the address."""


def confirms_addresses() -> bool:
    """Whether users are asked to confirm the address with which they sign up."""
    return settings.ACCOUNT_EMAIL_VERIFICATION != "none"


def has_confirmed_address(user: User) -> bool:
    return User.objects.filter(is_confirmed, pk=user.pk).exists()


def identifies(user: User) -> bool:
    """Whether a token of another issuer may identify the account by its address. Where addresses are confirmed, the
    account's must be: a user could otherwise sign up with the address of another person, whose tokens would then save
    what that person says in the user's account."""
    return not confirms_addresses() or has_confirmed_address(user)


def confirm_address(user: User) -> None:
    """Mark the account's address as confirmed."""
    _store(user, verified=True)


def change_key(user: User, new: str) -> str:
    """The signed key of the link that proves that `new` is the user's address."""
    return signing.dumps({"user": user.pk, "old": user.email, "new": new}, salt=SALT)


def requested_address(user: User, key: str) -> str | None:
    """The address to which `user` may change with this key. None if the key is invalid, expired, already used or of
    another account."""
    try:
        request = signing.loads(key, salt=SALT, max_age=LINK_LIFETIME)
    except signing.BadSignature:
        return None
    return request["new"] if (request["user"], request["old"]) == (user.pk, user.email) else None


def change_address(user: User, new: str, by: User, is_proven: bool) -> None:
    """Change the account's address, record it in the approval log and notify the old address. Raises `AddressTaken`."""
    old, user.email = user.email, new.lower()
    by_email = old if by.pk == user.pk else by.email
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
            _store(user, verified=is_proven)
            DecisionEntry.objects.create(
                account=user, email=old, new_email=user.email, by=by, by_email=by_email, status=user.status
            )
            transaction.on_commit(partial(mail.send_address_change, user, old))
    except IntegrityError:
        user.email = old
        raise AddressTaken from None


def _store(user: User, verified: bool) -> None:
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"primary": True, "verified": verified})
