"""The page on which users delete their account."""

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.models import DecisionError


class AccountDeletionForm(forms.Form):
    sure = forms.BooleanField(error_messages={"required": "Nothing deleted: select the checkbox to confirm."})


@approval_not_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
def delete_account(request: UserRequest) -> HttpResponse:
    form = AccountDeletionForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/account_deletion.html", {"form": form})
    try:
        request.user.close_account()
    except DecisionError as error:
        messages.error(request, str(error))
        return redirect("close_account")
    logout(request)
    messages.success(request, "Your account and all its data have been deleted.")
    return redirect("home")
