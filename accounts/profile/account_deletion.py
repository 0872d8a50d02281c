"""Deleting one's own account."""

from allauth.account.decorators import reauthentication_required
from django import forms
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.models import DecisionError


class AccountDeletionForm(forms.Form):
    sure = forms.BooleanField(error_messages={"required": "Nothing was deleted: tick the box if you are sure."})


@approval_not_required
@reauthentication_required  # type: ignore[untyped-decorator]
@require_http_methods(["GET", "POST"])
@never_cache
def delete_account(request: UserRequest) -> HttpResponse:
    form = AccountDeletionForm(request.POST or None)
    if not form.is_valid():
        return render(request, "accounts/close.html", {"form": form})
    try:
        request.user.close_account()
    except DecisionError as refused:
        messages.error(request, str(refused))
        return redirect("close_account")
    logout(request)
    messages.success(request, "Your account is gone, and everything that was in it.")
    return redirect("home")
