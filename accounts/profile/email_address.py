"""The page with the user's email address, and the link that proves a new one.

It replaces allauth's page, which can make an unconfirmed address primary.
"""

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.email_verification import send_verification_email_for_user
from allauth.core import ratelimit
from allauth.decorators import rate_limit
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts import email_addresses, mail
from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.email_addresses import AddressTaken
from accounts.models import User


class AddressForm(forms.Form):
    email = forms.EmailField(label="New email address")

    def clean_email(self) -> str:
        email: str = get_adapter().clean_email(self.cleaned_data["email"].lower())
        return email


def _requests_change(request: HttpRequest) -> bool:
    return settings.SENDS_EMAIL and "email" in request.POST


@approval_not_required
@rate_limit(action="manage_email")  # type: ignore[untyped-decorator]
@reauthentication_required(allow_get=True, enabled=_requests_change)  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
def email_address(request: UserRequest) -> HttpResponse:
    if "action_send" in request.POST and email_addresses.confirms_addresses():
        send_verification_email_for_user(request, request.user)
        return redirect("email_address")
    form = AddressForm(request.POST if _requests_change(request) else None)
    if form.is_valid():
        _send_link(request, form.cleaned_data["email"])
        return redirect("email_address")
    context = {
        "form": form,
        "is_confirmed": email_addresses.has_confirmed_address(request.user),
        "confirms_addresses": email_addresses.confirms_addresses(),
        "can_change": settings.SENDS_EMAIL,
    }
    return render(request, "accounts/email_address.html", context)


def _send_link(request: UserRequest, new: str) -> None:
    """Send the link, also to an address of another account, so that the page doesn't reveal which ones exist."""
    if new == request.user.email:
        messages.info(request, f"{new} is your address already.")
    elif not ratelimit.consume(request, action="confirm_email", key=new):
        messages.error(request, f"No link sent: {new} got one just now. Look for it, or try again in a few minutes.")
    elif not mail.send_address_link(new, settings.SITE_URL + _link(request.user, new)):
        messages.error(request, "No link sent: the mail server is unavailable. Try again later.")
    else:
        messages.success(request, f"A link was sent to {new}. Open it in this browser to change your address.")


def _link(user: User, new: str) -> str:
    return reverse("email_address_change", args=[email_addresses.change_key(user, new)])


@approval_not_required
@require_http_methods(["GET", "POST"])
def change(request: UserRequest, key: str) -> HttpResponse:
    """The page to which the link leads. Only the account that requested the change can open it, so that the owner of a
    mailbox can't confirm it by mistake for the account of another user."""
    new = email_addresses.requested_address(request.user, key)
    if new is None:
        return render(request, "accounts/email_address_expired.html", status=410)
    if request.method == "GET":
        return render(request, "accounts/email_address_change.html", {"new": new})
    try:
        email_addresses.change_address(request.user, new, request.user, is_proven=True)
    except AddressTaken:
        messages.error(request, f"Not changed: another account has the address {new}. Close that account first.")
    else:
        messages.success(request, f"Your email address is now {new}.")
    return redirect("email_address")
