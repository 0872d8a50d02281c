"""The page on which administrators make invitations, and take them back."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.forms import InvitationForm
from accounts.models import Invitation
from accounts.requests import UserRequest
from accounts.views import admins_only

SHOWN = 100


@admins_only
@require_http_methods(["GET", "POST"])
@never_cache
def invitations(request: UserRequest) -> HttpResponse:
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        invitation, secret = form.make(request.user)
        # Shown in the answer itself and nowhere kept, so there is no page to redirect to.
        url = settings.SITE_URL + reverse("invited", args=[secret])
        return render(request, "accounts/invitation_made.html", {"invitation": invitation, "url": url})
    made = Invitation.objects.select_related("made_by", "used_by")[:SHOWN]
    context = {"form": form, "invitations": made, "is_closed": settings.SIGNUP == "closed"}
    return render(request, "accounts/invitations.html", context)


@admins_only
@require_POST
def revoke(request: UserRequest, pk: int) -> HttpResponse:
    invitation = get_object_or_404(Invitation, pk=pk)
    invitation.revoke()
    messages.success(request, f"“{invitation}” was revoked. Its link opens nothing from now on.")
    return redirect("invitations")
