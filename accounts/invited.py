"""Who comes with an invitation: its secret waits in the session until the account is made."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Invitation, User

KEY = "invitation"


@login_not_required
@require_safe
@never_cache
def come(request: HttpRequest, secret: str) -> HttpResponse:
    """The link itself."""
    if request.user.is_authenticated:
        messages.info(request, "You have an account already, so the invitation was not used.")
        return redirect("home")
    if not Invitation.objects.open().of_secret(secret).exists():
        return render(request, "accounts/invitation_over.html", status=410)
    request.session[KEY] = secret
    return redirect("account_signup")


def by(request: HttpRequest) -> Invitation | None:
    """The invitation with which somebody came, if it still holds."""
    secret = request.session.get(KEY, "")
    return Invitation.objects.open().of_secret(secret).select_related("made_by").first()


def let_in(request: HttpRequest, user: User) -> bool:
    """Approve the account that was just made, if its owner was invited. Without an invitation that holds it waits, as
    everybody's does."""
    invitation = by(request)
    if invitation is None:
        return False
    del request.session[KEY]
    return invitation.use(user)
