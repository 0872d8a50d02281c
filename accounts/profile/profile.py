"""The account page: the user's name, and links to all account settings."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts import time_zone
from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.models import User


class ProfileForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        choices=lambda: [("", "That of this browser"), *((name, name.replace("_", " ")) for name in time_zone.names())],
        required=False,
        help_text="Of the times on pages and in files that you download.",
    )

    class Meta:
        model = User
        fields = ("name", "time_zone")
        help_texts = {"name": "Shown to others next to your email address."}


@approval_not_required
@require_http_methods(["GET", "POST"])
def profile(request: UserRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Saved.")
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})
