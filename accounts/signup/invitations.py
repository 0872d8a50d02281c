"""Invitation links, and the page on which administrators create and revoke them.

The secret of an opened link is kept in the web session until the user has signed up.
"""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.approvals.views import admins_only
from accounts.credentials.user_request import UserRequest
from accounts.models import Invitation, User
from accounts.signup.forms import InvitationForm

KEY = "invitation"
MAX_SHOWN = 100


@login_not_required
@require_safe
def accept(request: HttpRequest, secret: str) -> HttpResponse:
    """Open an invitation link."""
    if request.user.is_authenticated:
        messages.info(request, "You already have an account, so the invitation wasn't used.")
        return redirect("home")
    if not Invitation.objects.open().with_secret(secret).exists():
        return render(request, "accounts/invitation_expired.html", status=410)
    request.session[KEY] = secret
    return redirect("account_signup")


def pending_invitation(request: HttpRequest) -> Invitation | None:
    """The invitation whose link was opened in this web session, if it still works."""
    secret = request.session.get(KEY, "")
    return Invitation.objects.open().with_secret(secret).select_related("created_by").first()


def redeem(request: HttpRequest, user: User) -> bool:
    """Approve the new account if the user has an invitation that still works. Otherwise it stays pending. Returns
    whether it was approved."""
    invitation = pending_invitation(request)
    if invitation is None:
        return False
    del request.session[KEY]
    return invitation.redeem(user)


def discard(request: HttpRequest) -> None:
    """Revoke the user's invitation, if any: they have an account already."""
    if invitation := pending_invitation(request):
        del request.session[KEY]
        invitation.revoke()


@admins_only
@require_http_methods(["GET", "POST"])
def invitations(request: UserRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        invitation, secret = form.create(request.user)
        # The secret is shown in this response only and not stored, so there is no page to redirect to.
        url = settings.SITE_URL + reverse("invited", args=[secret])
        return render(request, "accounts/invitation_created.html", {"invitation": invitation, "url": url})
    latest = Invitation.objects.select_related("created_by", "used_by")[:MAX_SHOWN]
    context = {"form": form, "invitations": latest, "is_closed": settings.SIGNUP == "closed"}
    return render(request, "accounts/invitations.html", context)


@admins_only
@require_POST
def revoke(request: UserRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    invitation.revoke()
    messages.success(request, f"“{invitation}” was revoked. Its link no longer works.")
    return redirect("invitations")
