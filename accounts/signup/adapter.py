"""allauth's hooks for sign-up (invitations, email domains, the first account), limits of logins and links in emails."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from allauth.account import app_settings
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.signup import prevent_enumeration
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from accounts import mail
from accounts.credentials.throttling import client_network
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
        with _catch_double_submit(request, user.email), transaction.atomic():
            user.save()
            is_invited = invitations.redeem(request, user)
            signed_up.send(User, user=user)
        if settings.NOTIFY_ADMINS_OF_SIGNUPS and not is_invited:
            transaction.on_commit(partial(mail.notify_admins, user, User.objects.admins()))
        return user

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm the account's own address. Others become the account's by `accounts.email_addresses` only."""
        if email_address.email != email_address.user.email:
            messages.error(request, f"Not confirmed: the account's address is no longer {email_address.email}.")
            return False
        is_confirmed: bool = super().confirm_email(request, email_address)
        return is_confirmed

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt to log in. Those of a client with any account have a limit of their own, because allauth
        resets `login_failed` at a correct code or a new password, also of an attacker's own account."""
        self._usage = ratelimit.consume(request, app="allauth.account", action="login_failed_by_client")
        if not self._usage:
            raise self.validation_error("too_many_login_attempts")
        super().pre_authenticate(request, **credentials)

    def _rollback_login_failed_rl_usage(self) -> None:
        """allauth calls it after a login that succeeded."""
        super()._rollback_login_failed_rl_usage()
        self._usage.rollback()

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """What `login_failed` counts by: account and client together, so that no user can lock another out. allauth's
        own key has the account and the Host header, in which a client can vary the port."""
        return f"{credentials.get('email', '').lower()} from {client_network(request)}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send an email whose links lead to SITE_URL. allauth's lead to the host and port that the request named, and a
        client can name others."""
        links = {name: _at_site_url(url) for name, url in context.items() if name.endswith("_url")}
        super().send_mail(template_prefix, email, {**context, **links, "site": settings.SITE_URL})

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Not required from accounts without a password or other method to reauthenticate."""
        user = self.request.user
        is_possible = not user.is_authenticated or bool(self.get_reauthentication_methods(user))
        return is_possible and super().is_reauthentication_required(app=app)

    def _resets_password(self) -> bool:
        """Password resets are exempt from the domain limit: accounts may be older, or created by an administrator."""
        match = self.request.resolver_match
        return match is not None and match.url_name == "account_reset_password"


def _at_site_url(url: str) -> str:
    return str(settings.SITE_URL + urlsplit(url).path)


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
def _catch_double_submit(request: HttpRequest, email: str) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        # The form has checked that the address is free, so the same form was submitted twice: a double click.
        if app_settings.EMAIL_VERIFICATION == app_settings.EmailVerificationMethod.MANDATORY:
            raise ImmediateHttpResponse(prevent_enumeration(request, email=email)) from None
        messages.info(request, "This account was just created. Log in.")
        raise ImmediateHttpResponse(redirect("account_login")) from None
