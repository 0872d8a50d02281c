"""The page on which users create and revoke API tokens."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.user_request import UserRequest
from accounts.models import Token
from accounts.models.token import TooManyTokens
from accounts.profile.forms import TokenForm


@require_http_methods(["GET", "POST"])
@never_cache
def tokens(request: UserRequest) -> HttpResponse:
    form = TokenForm(request.POST or None)
    if form.is_valid():
        try:
            token, text = form.create(request.user)
        except TooManyTokens as error:
            form.add_error(None, str(error))
        else:
            # The secret is shown in this response only and not stored, so there is no page to redirect to.
            return render(request, "accounts/token_created.html", {"token": token, "text": text})
    unrevoked = Token.objects.of(request.user).filter(revoked_at=None)
    return render(request, "accounts/tokens.html", {"form": form, "tokens": unrevoked})


@require_POST
def revoke(request: UserRequest, pk: str) -> HttpResponse:
    token = get_object_or_404(Token.objects.of(request.user), pk=pk)
    token.revoke()
    messages.success(request, f"“{token}” was revoked. Programs that use it no longer have access.")
    return redirect("tokens")
