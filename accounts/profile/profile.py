"""The account page: the user's name, and links to all account settings."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.approvals.middleware import approval_not_required
from accounts.credentials.user_request import UserRequest
from accounts.models import User


class ProfileForm(forms.ModelForm):
    class Meta:
        model = User
        fields = ("name",)
        help_texts = {"name": "Shown to others next to your email address."}


@approval_not_required
@require_http_methods(["GET", "POST"])
def profile(request: UserRequest) -> HttpResponse:
    form = ProfileForm(request.POST or None, instance=request.user)
    if form.is_valid():
        form.save()
        messages.success(request, "Name saved.")
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})
