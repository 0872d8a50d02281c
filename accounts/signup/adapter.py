"""allauth's hooks for sign-up: invitations, email domains and the first account."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from accounts import mail
from accounts.models import User
from accounts.models.signals import signed_up
from accounts.signup import invitations


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        if settings.SIGNUP == "invitation":
            return User.objects.needs_first_admin() or invitations.pending_invitation(request) is not None
        return settings.SIGNUP == "open"

    def clean_email(self, email: str) -> str:
        email = super().clean_email(email)
        domains = settings.SIGNUP_EMAIL_DOMAINS
        is_exempt = self._resets_password() or invitations.pending_invitation(self.request) is not None
        if domains and email.rpartition("@")[2] not in domains and not is_exempt:
            raise ValidationError(
                f"Only addresses at {', '.join(domains)} can sign up; {email} isn't one. "
                "Use such an address, or contact your administrator."
            )
        return email

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        super().save_user(request, user, form, commit=False)
        if not commit:
            return user
        if User.objects.needs_first_admin() and _save_as_first_user(user):
            return user
        with _catch_double_submit(request), transaction.atomic():
            user.save()
            is_invited = invitations.redeem(request, user)
            signed_up.send(User, user=user)
        if settings.NOTIFY_ADMINS_OF_SIGNUPS and not is_invited:
            transaction.on_commit(partial(mail.notify_admins, user, User.objects.admins()))
        return user

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Not required from accounts without a password or other method to reauthenticate."""
        user = self.request.user
        is_possible = not user.is_authenticated or bool(self.get_reauthentication_methods(user))
        return is_possible and super().is_reauthentication_required(app=app)

    def _resets_password(self) -> bool:
        """Password resets are exempt from the domain limit: accounts may be older, or created by an administrator."""
        match = self.request.resolver_match
        return match is not None and match.url_name == "account_reset_password"


def _save_as_first_user(user: User) -> bool:
    """Save the site's first account, its administrator. Returns False if another account was saved first."""
    user.is_first_user = user.is_staff = user.is_superuser = True
    user.status = User.Status.APPROVED
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        user.is_first_user, user.is_staff, user.is_superuser = None, False, False
        user.status = User.Status.PENDING
        return False
    return True


@contextmanager
def _catch_double_submit(request: HttpRequest) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        # The form has checked that the address is free, so the same form was submitted twice: a double click.
        messages.info(request, "This account was just created. Log in.")
        raise ImmediateHttpResponse(redirect("account_login")) from None
