"""The page on which users create and revoke API tokens."""

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.user_request import UserRequest
from accounts.models import Token
from accounts.models.token import TooManyTokens
from accounts.profile.forms import TokenForm


@require_http_methods(["GET", "POST"])
def tokens(request: UserRequest) -> HttpResponse:
    form = TokenForm(request.POST or None)
    if form.is_valid():
        if not form.cleaned_data["days"]:
            raise_if_reauthentication_required(request, app="account")  # it outlives every login
        try:
            token, text = form.create(request.user)
        except TooManyTokens as error:
            form.add_error(None, str(error))
        else:
            # The secret is shown in this response only and not stored, so there is no page to redirect to.
            return render(request, "accounts/token_created.html", {"token": token, "text": text})
    return render(request, "accounts/tokens.html", {"form": form, "tokens": Token.objects.of(request.user).unended()})


@require_POST
def revoke(request: UserRequest, pk: str) -> HttpResponse:
    token = get_object_or_404(Token.objects.of(request.user), pk=pk)
    token.revoke()
    messages.success(request, f"“{token}” was revoked. Programs that use it no longer have access.")
    return redirect("tokens")
