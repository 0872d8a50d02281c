"""The approval log: past decisions about accounts and changes of their addresses, shown to administrators."""

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.approvals.views import admins_only
from accounts.credentials.user_request import UserRequest
from accounts.models import DecisionEntry

PER_PAGE = 50


@admins_only
@require_safe
def approval_log(request: UserRequest) -> HttpResponse:
    search = request.GET.get("q", "").strip()
    entries = DecisionEntry.objects.filter(
        Q(email__icontains=search) | Q(new_email__icontains=search) | Q(by_email__icontains=search)
    )
    page = Paginator(entries, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "accounts/approval_log.html", {"page_obj": page, "search": search})
